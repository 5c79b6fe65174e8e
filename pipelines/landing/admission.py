"""Files on their way into the pipeline: the digest of each, or why it cannot be taken."""

import stat
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipelines.folder.files import sha256_of
from pipelines.landing.inventory import SUFFIXES, LandedFile


@dataclass(frozen=True, slots=True)
class Admission:
    """A landed file or one of the send log with its digest, or with the reason for having none."""

    file: LandedFile
    sha256: str | None
    problem: str | None


def problem_of_landed(path: Path) -> str | None:
    """Why a path below the landing folder cannot be a landed file. May raise OSError."""
    if path.is_symlink() and not path.is_dir():
        # its target can change or disappear without a trace in the landing folder
        return "is a symbolic link; replace it with the file itself or move it away"
    if problem := not_regular(path):
        return problem
    if not path.name.endswith(SUFFIXES):
        return "is not a .jsonl file; move it out of the folder"
    return None


def not_regular(path: Path) -> str | None:
    """The problem of a path that is something other than a file. May raise OSError."""
    if stat.S_ISREG(path.stat().st_mode):
        return None
    return "is not a regular file; move it out of the folder"


def admit(
    folder: Path,
    files: Sequence[LandedFile],
    problem_of: Callable[[Path], str | None] = problem_of_landed,
) -> list[Admission]:
    """Read each file once for its digest, unless ``problem_of`` its path is known already."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        digests = pool.map(lambda file: _digest_or_problem(folder / file.name, problem_of), files)
        return [Admission(file, *result) for file, result in zip(files, digests, strict=True)]


def _digest_or_problem(
    path: Path, problem_of: Callable[[Path], str | None]
) -> tuple[str | None, str | None]:
    try:
        if problem := problem_of(path):
            return None, problem
        return sha256_of(path), None
    except OSError as error:
        return None, unreadable(error)


def unreadable(error: Exception) -> str:
    """The problem of a file whose reading failed."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    return f"cannot be read ({reason}); fix it or move it away"


def problems_of(admissions: Iterable[Admission]) -> dict[str, str]:
    """What is wrong with those that were refused, by file."""
    return {each.file.name: each.problem for each in admissions if each.problem}
