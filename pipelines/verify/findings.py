"""What a verification finds: sentences for people, figures beside them.

A finding may name a sid, a push or a file, never a mobile, and never free text of a report, in
which one may stand.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MOST_LISTED = 20
"""Findings of one kind that are spelled out; of the others only their number is told."""

_ROOMS = ("landing/", "raw.", "core.", "ops.", "marts.", "exports/", "")
"""The way of the data: what is wrong first is named first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between what was recounted and what stands there."""

    where: str
    """Table, folder or file that differs."""
    sentence: str
    """What differs, where, expected and found."""

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}"


@dataclass(slots=True)
class Verification:
    """What was recounted, and every place where the warehouse says something else."""

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    """Landed files read again."""
    pending: int = 0
    """Landed files the pipeline has not read yet; no finding."""
    pushes: int = 0
    records: int = 0
    messages: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    sends: int = 0
    """Rows of the send log that say what was sent, copies included."""
    fingerprint: str = ""
    """Recomputed from the rows of ``core.sms_status``."""
    unpublished: int = 0
    """Parts of tables that changed and are not published yet; no finding."""

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return not self.findings


class Findings:
    """Collects findings, few of each kind: one lost file must not bury the others."""

    def __init__(self) -> None:
        self._listed: list[Finding] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, where: str, sentence: str, kind: str = "") -> None:
        """Take one in; ``kind`` tells apart what is counted together within ``where``."""
        self._counts[where, kind] += 1
        if self._counts[where, kind] <= MOST_LISTED:
            self._listed.append(Finding(where, sentence))

    def all(self) -> list[Finding]:
        """Return everything found, in the way of the data, and how many more there are."""
        more = [
            Finding(where, f"{count - MOST_LISTED:,} more findings of this kind ({kind}).")
            for (where, kind), count in self._counts.items()
            if count > MOST_LISTED
        ]
        return sorted([*self._listed, *more], key=_rank)


def _rank(finding: Finding) -> int:
    return next(rank for rank, room in enumerate(_ROOMS) if finding.where.startswith(room))


def in_order(keys: Iterable[Any]) -> list[Any]:
    """Sort keys for people; in a table that was tampered with one may be null."""
    return sorted(keys, key=lambda key: (key is None, key or 0))
