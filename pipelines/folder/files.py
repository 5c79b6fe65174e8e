"""Files written durably: after a crash each is whole or absent."""

import os
from hashlib import file_digest
from pathlib import Path


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(new: Path, target: Path) -> None:
    """Put a finished file in the place of another in one step, durably."""
    sync(new)
    new.replace(target)
    sync(target.parent)


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read; it is on disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def sha256_of(path: Path) -> str:
    """Digest of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def remove_empty_folders(root: Path) -> None:
    """Remove what holds nothing below ``root``; hidden folders and links are left alone."""
    tops = [
        path for path in root.iterdir() if not path.name.startswith(".") and not path.is_symlink()
    ]
    below = [folder for top in tops for folder in (top, *top.rglob("*/")) if folder.is_dir()]
    for folder in sorted(below, reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
