"""One round of tamperings, and what `dlr verify` says to it."""

from dataclasses import dataclass

from pipelines.lock import WarehouseError
from pipelines.verify import verify
from tests.tamper.copies import Copy
from tests.tamper.declared import Round


@dataclass(frozen=True)
class Outcome:
    """A tampering by its name, and the finding that names it; None where none does."""

    name: str
    said: str | None


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
    tamper(copy, tried)
    found = findings(copy)
    return [Outcome(one.name, one.seen_in(found)) for one in tried]
