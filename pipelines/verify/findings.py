"""What a verification finds: sentences for people, figures beside them.

A finding may name a sid, a push or a file. Of a free text, in which a mobile may stand, it shows no
longer row of digits.
"""

import json
import re
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import NamedTuple

MOST_LISTED = 20
"""Findings of one kind that are listed; of the others only their number is given."""
Difference = tuple[str, str, str]
"""A finding without a place in the landed files: where, kind, sentence."""

_ROOMS = ("landing/", "raw.", "core.", "ops.", "marts.", "warehouse/", "exports/", "")
"""The way of the data: what is wrong first is named first."""
_LAST = 2**63
_PHONE = re.compile(r"\d(?:[ ().+-]{0,2}\d){4,}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_MOST_SHOWN = 40


class Place(NamedTuple):
    """Where in the landed files it lies, in the order they are read."""

    line: int
    """Among all intact lines, counted from 1."""
    position: int | None = None
    """In the pushed array; None for the push as a whole."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between what was recounted and what stands there."""

    where: str
    """Table, folder or file that differs."""
    sentence: str
    """What differs, where, expected and found."""
    place: Place | None = None
    at: str = ""
    """The place in words: file, line, push, position."""

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}" + (f" ({self.at})" if self.at else "")

    @property
    def order(self) -> tuple[int, int, int]:
        """Sorts findings in the way of the data, then in the order of the landed files."""
        rank = next(rank for rank, room in enumerate(_ROOMS) if self.where.startswith(room))
        if self.place is None:
            return rank, _LAST, 0
        return rank, self.place.line, -1 if self.place.position is None else self.place.position


@dataclass(slots=True)
class Verification:
    """What was recounted, and every place where the warehouse says something else."""

    findings: list[Finding] = field(default_factory=list)
    """In the way of the data and the order of the landed files: the first place is named first."""
    files: int = 0
    """Landed files read again."""
    pending: int = 0
    """Landed files the pipeline has not read yet; no finding."""
    pending_sends: int = 0
    """Files of the send log it has not read yet."""
    waiting: list[str] = field(default_factory=list)
    """The first of both by name."""
    unverified: list[str] = field(default_factory=list)
    """Published tables and columns that nothing here recounts, such as a mart of one's own."""
    pushes: int = 0
    records: int = 0
    messages: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    sends: int = 0
    """Rows of the send log that say what was sent, copies included."""
    fingerprint: str = ""
    """Recomputed from the landed files; for one day, from the rows of ``core.sms_status``."""
    unpublished: int = 0
    """Parts of tables that changed and are not published yet; no finding."""

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return not self.findings


class Findings:
    """Collects findings, few of each kind: one lost file must not bury the others."""

    def __init__(self) -> None:
        self._listed: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, where: str, sentence: str, kind: str = "", place: Place | None = None) -> None:
        """Add a finding; those of one ``kind`` within ``where`` are counted together.

        Of each kind the first in the order of the landed files are kept.
        """
        self._counts[where, kind] += 1
        listed = self._listed[where, kind]
        insort(listed, Finding(where, sentence, place), key=attrgetter("order"))
        del listed[MOST_LISTED:]

    def add_all(self, differences: Iterable[Difference]) -> None:
        """Add what a check has found."""
        for where, kind, sentence in differences:
            self.add(where, sentence, kind)

    def merge(self, other: "Findings") -> None:
        """Add the findings of another process."""
        for (where, kind), listed in other._listed.items():
            for finding in listed:
                self.add(where, finding.sentence, kind, finding.place)
            self._counts[where, kind] += other._counts[where, kind] - len(listed)

    def all(self, line_text: Callable[[int], str]) -> list[Finding]:
        """Return the findings, the first place first, and how many more there are.

        ``line_text`` says in words where a line of the landed files lies.
        """
        listed = [
            _located(finding, line_text)
            for findings in self._listed.values()
            for finding in findings
        ]
        for (where, kind), count in self._counts.items():
            if count > MOST_LISTED:
                sentence = f"{count - MOST_LISTED:,} more findings of this kind ({kind})."
                listed.append(Finding(where, sentence))
        return sorted(listed, key=attrgetter("order"))


def _located(finding: Finding, line_text: Callable[[int], str]) -> Finding:
    if finding.place is None:
        return finding
    line, position = finding.place
    text = line_text(line)
    return replace(finding, at=text if position is None else f"{text}, position {position}")


def masked(value: object) -> str:
    """A free text as it may be shown: of a number in it only the last two digits."""
    if not isinstance(value, str):
        return "null" if value is None else str(value)
    if not _TIME.fullmatch(value):
        value = _PHONE.sub(lambda match: f"…{match[0][-2:]}", value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
