"""Whether ``ops.ledger_by_file`` says what the landed files give, one bucket of files at a time."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from pipelines.verify.clock import shown
from pipelines.verify.findings import Findings
from pipelines.verify.spill import Row

_WHERE = "ops.ledger_by_file"
_TIMES = {"first_received_at_utc", "last_received_at_utc"}
_ATTRIBUTED = {"messages", "duplicates", "conflicts"}
"""Known only where the whole landing was read."""


class Tally(NamedTuple):
    """A push as it counts for its file, or the sum over a file; behind the key of the file."""

    key: int
    file: str
    pushes: int
    records: int
    messages: int
    duplicates: int
    conflicts: int
    rejected: int
    first_received_at_utc: int
    last_received_at_utc: int


class FileRow(NamedTuple):
    """A row of ``ops.ledger_by_file`` behind its key."""

    key: int
    file: str
    pushes: int
    records: int
    messages: int
    duplicates: int
    conflicts: int
    rejected: int
    first_received_at_utc: int
    last_received_at_utc: int
    erased: int
    balanced: bool


def compare_files(
    tallies: Iterable[Row],
    rows: Iterable[Row],
    findings: Findings,
    covered: Callable[[str], bool],
    *,
    whole: bool,
) -> None:
    """Add the pushes of each file up and compare; files not ``covered`` are left out."""
    expected: dict[str, Tally] = {}
    for row in tallies:
        tally = Tally._make(row)
        known = expected.get(tally.file)
        expected[tally.file] = tally if known is None else _sum(known, tally)
    for row in rows:
        found = FileRow._make(row)
        counted = expected.pop(found.file, None)
        if counted is not None:
            said = _differences(counted, found, whole=whole)
            if said and covered(found.file):
                findings.add(_WHERE, f"{found.file}: {said}.", "differs")
        elif covered(found.file):
            findings.add(_WHERE, f"{found.file}: no push was taken from it.", "extra")
    for file in sorted(filter(covered, expected)):
        findings.add(_WHERE, f"{file} has no row.", "missing")


def _sum(one: Tally, other: Tally) -> Tally:
    return Tally(
        key=one.key,
        file=one.file,
        pushes=one.pushes + other.pushes,
        records=one.records + other.records,
        messages=one.messages + other.messages,
        duplicates=one.duplicates + other.duplicates,
        conflicts=one.conflicts + other.conflicts,
        rejected=one.rejected + other.rejected,
        first_received_at_utc=min(one.first_received_at_utc, other.first_received_at_utc),
        last_received_at_utc=max(one.last_received_at_utc, other.last_received_at_utc),
    )


def _differences(counted: Tally, found: FileRow, *, whole: bool) -> str:
    expected = dict(zip(Tally._fields, counted, strict=True)) | {"erased": 0, "balanced": True}
    stands = dict(zip(FileRow._fields, found, strict=True))
    return "; ".join(
        f"{name} is {shown(stands[name])}, expected {shown(value)}"
        if name in _TIMES
        else f"{name} is {stands[name]}, expected {value}"
        for name, value in expected.items()
        if stands[name] != value and (whole or name not in _ATTRIBUTED)
    )
