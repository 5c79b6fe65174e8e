"""Which landed files there are, which of them are new, and what is wrong with one."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from hashlib import file_digest
from pathlib import Path

import duckdb

PROVIDER = "yunpian"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOST_FILES_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class LandedFile:
    """One file in the landing folder."""

    name: str
    """Path below the landing folder, with forward slashes."""
    size: int
    changed_ns: int

    @property
    def day(self) -> date | None:
        """Landing day, by the folder it lies in; None for a file that lies elsewhere."""
        folder = self.name.split("/")[-2]
        try:
            return date.fromisoformat(folder) if _DAY.fullmatch(folder) else None
        except ValueError:
            return None


def list_landed(landing: Path) -> list[LandedFile]:
    """All landed files in order of their names; hidden ones are still being written."""
    return sorted(_walk(landing / PROVIDER, PROVIDER), key=lambda file: file.name)


def _walk(folder: Path, name: str) -> Iterator[LandedFile]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    except OSError:
        # reported as a file that cannot be read: a person must look
        yield LandedFile(name, 0, 0)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = f"{name}/{entry.name}"
        if entry.is_dir():
            if entry.name.endswith(".jsonl"):
                yield LandedFile(path, 0, entry.stat().st_mtime_ns)
            else:
                yield from _walk(folder / entry.name, path)
        else:
            yield _landed(entry, path)


def _landed(entry: os.DirEntry[str], path: str) -> LandedFile:
    try:
        info = entry.stat()
    except OSError:
        info = entry.stat(follow_symlinks=False)
    return LandedFile(path, info.st_size, info.st_mtime_ns)


def pending(con: duckdb.DuckDBPyConnection, landing: Path) -> list[LandedFile]:
    """Files that were never read, or have changed since."""
    rows = con.execute("select file, bytes, changed_ns from ops.files").fetchall()
    known = {name: (size, changed_ns) for name, size, changed_ns in rows}
    return [
        file
        for file in list_landed(landing)
        if known.get(file.name) != (file.size, file.changed_ns)
    ]


def slices(files: Iterable[LandedFile], most_bytes: int) -> Iterator[list[LandedFile]]:
    """Cut a backlog into parts that fit in memory; each becomes one transaction."""
    part: list[LandedFile] = []
    size = 0
    for file in files:
        if part and (size + file.size > most_bytes or len(part) >= _MOST_FILES_AT_ONCE):
            yield part
            part, size = [], 0
        part.append(file)
        size += file.size
    if part:
        yield part


@dataclass(frozen=True, slots=True)
class Admission:
    """A file at the door of the pipeline: its digest, or why it cannot come in."""

    file: LandedFile
    sha256: str | None
    problem: str | None


def admit(landing: Path, files: list[LandedFile]) -> list[Admission]:
    """Read every file once for its digest; what cannot be read, or is none of ours, is named."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda file: _admit(landing, file), files))


def _admit(landing: Path, file: LandedFile) -> Admission:
    path = landing / file.name
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return Admission(file, None, "is no file; move it out of the landing folder")
        if not file.name.endswith(".jsonl"):
            return Admission(
                file, None, "is a foreign file, no .jsonl; move it out of the landing folder"
            )
        with path.open("rb") as opened:
            return Admission(file, file_digest(opened, "sha256").hexdigest(), None)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Admission(file, None, f"cannot be read ({reason}); mend it or move it away")
