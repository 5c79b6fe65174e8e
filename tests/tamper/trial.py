"""One round of tamperings, and what `dlr verify` says to it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipelines.folder.lock import WarehouseError
from pipelines.verify import verify
from tests.tamper.copies import Copy
from tests.tamper.declared import Round, rounds

UNTOUCHED = -1
"""Number of the round in which nothing is done, and nothing must be said."""
_mine: tuple[Copy, list[Round]]
"""Folder and rounds of a process."""


@dataclass(frozen=True)
class Outcome:
    """A tampering by its name, and what verify said of it."""

    name: str
    seen: bool
    said: str
    """The finding that names it, or the error that verify broke down with."""


def findings(copy: Copy) -> list[str]:
    """What verify says of the folder as it lies there."""
    try:
        return [str(finding) for finding in verify(copy.settings).findings]
    except WarehouseError as error:
        return [str(error)]


def tamper(copy: Copy, tried: Round) -> None:
    """Do everything of a round to a fresh copy."""
    copy.put_back()
    for one in tried:
        one.act(copy)
    if any(one.agrees for one in tried):
        copy.agree()


def try_round(copy: Copy, tried: Round) -> list[Outcome]:
    """Tamper, verify, and look for each tampering in the findings."""
    try:
        tamper(copy, tried)
        found = findings(copy)
    except Exception as error:  # noqa: BLE001  one that breaks is told, and the others are tried
        return [Outcome(one.name, False, f"broke: {error!r}") for one in tried]
    said = [one.seen_in(found) for one in tried]
    return [
        Outcome(one.name, finding is not None, finding or "")
        for one, finding in zip(tried, said, strict=True)
    ]


def prepare(folder: str, words: list[str]) -> None:
    """Make a folder of this process's own below ``folder``, and choose rounds by their names."""
    global _mine
    copy = Copy(Path(tempfile.mkdtemp(dir=folder)))
    chosen = [
        [one for one in tried if not words or any(word in one.name for word in words)]
        for tried in rounds(copy)
    ]
    _mine = copy, [tried for tried in chosen if tried]


def count() -> int:
    """How many rounds there are."""
    return len(_mine[1])


def try_number(number: int) -> list[Outcome]:
    """One round of this process's folder."""
    copy, chosen = _mine
    if number != UNTOUCHED:
        return try_round(copy, chosen[number])
    copy.put_back()
    said = findings(copy)
    return [Outcome("untouched", False, said[0])] if said else []
