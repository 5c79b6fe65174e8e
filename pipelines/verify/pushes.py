"""Whether the tables of pushes say what the landed lines say, one bucket of pushes at a time."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipelines.verify.clock import shown
from pipelines.verify.findings import Findings
from pipelines.verify.spill import Row
from pipelines.verify.tables import Push

_PUSHES, _REJECTED, _RECORDS = "raw.pushes", "raw.rejected_records", "raw.records"


class Line(NamedTuple):
    """One intact line of a landed file, decoded; behind its key."""

    key: int
    push_id: str
    file_number: int
    file: str
    received_us: int
    digest: str
    body_bytes: int
    decoding: str
    reports: int
    repaired_mobiles: int
    rejects: list[tuple[Any, ...]]
    """Position, reason and field of each."""

    @property
    def records(self) -> int:
        """Records received with the push."""
        return self.reports + len(self.rejects)

    @property
    def content(self) -> tuple[str, int]:
        """What tells the copies of a push from another push of the same id."""
        return self.digest, self.received_us


@dataclass(slots=True)
class Counts:
    """Figures of all pushes."""

    pushes: int = 0
    records: int = 0
    rejected: int = 0


class Bucket:
    """The pushes of one bucket: their lines, and what the tables say of them."""

    def __init__(self, lines: Iterable[Row], rows: Iterable[Row]) -> None:
        self._rows = _by_push(rows)
        self._lines = {
            push_id: [Line._make(row) for row in group]
            for push_id, group in _by_push(lines).items()
        }

    def ignored(self) -> Iterator[tuple[str, int]]:
        """Yield push and file of each line with another push of a known id: the first counts."""
        for push_id, lines in self._lines.items():
            content = self._counted(push_id).content
            for line in lines:
                if line.content != content:
                    yield push_id, line.file_number

    def _counted(self, push_id: str) -> Line:
        """Return the line that counts: of the smallest file, but never another than was taken."""
        lines = self._lines[push_id]
        files = {row[2] for row in self._rows.get(push_id, ())}
        return min(lines, key=lambda line: (line.file not in files, line.file))

    def compare(
        self,
        outcomes: Counter[tuple[str, str]],
        findings: Findings,
        covered: Callable[[str], bool],
        *,
        whole: bool,
    ) -> Counts:
        """Compare with ``raw.pushes``; ``outcomes`` counts duplicates and conflicts by push.

        A row whose file is not ``covered`` need not have a line.
        """
        counts = Counts()
        for push_id, lines in self._lines.items():
            line = self._counted(push_id)
            counts.pushes += 1
            counts.records += line.records
            counts.rejected += len(line.rejects)
            rows = self._rows.get(push_id, [])
            if len(rows) != 1:
                said = "is not in the table" if not rows else f"stands in {len(rows)} rows"
                findings.add(_PUSHES, f"push {push_id} of {line.file} {said}.", "rows")
                continue
            files = {one.file for one in lines if one.content == line.content}
            row = Push._make(rows[0])
            if covered(row.file) and row.file not in files:
                findings.add(
                    _PUSHES,
                    f"push {push_id} is said to lie in {row.file}, not {line.file}.",
                    "file",
                )
            said = _differences(line, row, outcomes, whole=whole)
            if said:
                findings.add(_PUSHES, f"push {push_id} of {line.file}: {said}.", "differs")
        for push_id in self._rows.keys() - self._lines.keys():
            file = self._rows[push_id][0][2]
            if covered(file):
                sentence = f"push {push_id} is in no landed file; it is said to lie in {file}."
                findings.add(_PUSHES, sentence, "extra")
        return counts

    def compare_rejected(self, rows: Iterable[Row], findings: Findings) -> None:
        """Compare with ``raw.rejected_records``, push by push."""
        found = _by_push(rows)
        for push_id in self._lines.keys() | (found.keys() - self._rows.keys()):
            if push_id not in self._lines:
                findings.add(_REJECTED, f"push {push_id} is unknown.", "unknown")
                continue
            line = self._counted(push_id)
            expected = Counter((*reject, line.received_us) for reject in line.rejects)
            stands = Counter(row[2:] for row in found.get(push_id, ()))
            for counter, word in (
                (expected - stands, "is missing"),
                (stands - expected, "is wrong"),
            ):
                for position, reason, field, received_us in sorted(counter, key=repr):
                    place = "as a whole" if position is None else f"at position {position}"
                    findings.add(
                        _REJECTED,
                        f"push {push_id} of {line.file}: the reject {reason} {place} (field {field}, "
                        f"received {shown(received_us)}) {word}.",
                        word,
                    )

    def compare_records(self, rows: Iterable[Row], findings: Findings) -> None:
        """Compare the number of readable records with ``raw.records``."""
        found = {row[1]: row[2] for row in rows}
        for push_id in self._lines:
            line = self._counted(push_id)
            if found.get(push_id, 0) != line.reports:
                findings.add(
                    _RECORDS,
                    f"push {push_id} of {line.file} has {found.get(push_id, 0)} readable records, "
                    f"expected {line.reports}.",
                    "count",
                )
        for push_id in found.keys() - self._lines.keys() - self._rows.keys():
            findings.add(_RECORDS, f"push {push_id} is unknown.", "unknown")


def _by_push(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[1]].append(row)
    return groups


def _differences(line: Line, row: Push, outcomes: Counter[tuple[str, str]], *, whole: bool) -> str:
    """Name figures that differ; attribution is known where the whole landing was read."""
    figures: dict[str, tuple[object, object]] = {
        "received_at_utc": (shown(row.received_at_utc), shown(line.received_us)),
        "body_bytes": (row.body_bytes, line.body_bytes),
        "sha256": (row.sha256, line.digest),
        "decoding": (row.decoding, line.decoding),
        "records": (row.records, line.records),
        "rejected": (row.rejected, len(line.rejects)),
        "repaired_mobiles": (row.repaired_mobiles, line.repaired_mobiles),
    }
    if whole:
        duplicates = outcomes[line.push_id, "duplicate"]
        conflicts = outcomes[line.push_id, "conflict"]
        figures |= {
            "accepted": (row.accepted, line.reports - duplicates - conflicts),
            "duplicates": (row.duplicates, duplicates),
            "conflicts": (row.conflicts, conflicts),
        }
    else:
        taken = (row.accepted or 0) + (row.duplicates or 0) + (row.conflicts or 0)
        figures["accepted + duplicates + conflicts"] = (taken, line.reports)
    return "; ".join(
        f"{name} is {found}, expected {expected}"
        for name, (found, expected) in figures.items()
        if found != expected
    )
