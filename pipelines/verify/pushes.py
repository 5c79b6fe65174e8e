"""Whether the tables of pushes say what the landed lines say, one bucket of pushes at a time."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from pipelines.verify.clock import shown
from pipelines.verify.findings import Findings, in_order
from pipelines.verify.spill import Row
from pipelines.verify.tables import Push

_PUSHES, _REJECTED = "raw.pushes", "raw.rejected_records"


class Line(NamedTuple):
    """One intact line of a landed file, decoded; behind its key."""

    key: int
    push_id: str
    number: int
    """Among all lines, in order of their files; the first of a push counts."""
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


class Bucket:
    """The pushes of one bucket: their lines, and what the tables say of them."""

    def __init__(self, lines: Iterable[Row], rows: Iterable[Row]) -> None:
        self._rows = _by_push(rows)
        self._lines = {
            push_id: [Line._make(row) for row in group]
            for push_id, group in _by_push(lines).items()
        }

    def ignored(self) -> Iterator[tuple[str, int]]:
        """Yield push and number of each line with another push of a known id: the first counts."""
        for push_id, lines in self._lines.items():
            content = self._counted(push_id).content
            for line in lines:
                if line.content != content:
                    yield push_id, line.number

    def counted(self) -> Iterator[Line]:
        """Yield every push once."""
        return map(self._counted, self._lines)

    def _counted(self, push_id: str) -> Line:
        """Return the line that counts: the first, but never another than was taken."""
        files = {row[2] for row in self._rows.get(push_id, ())}
        return min(self._lines[push_id], key=lambda line: (line.file not in files, line.number))

    def compare(
        self,
        outcomes: Counter[tuple[str, str]],
        findings: Findings,
        covered: Callable[[str], bool],
        *,
        whole: bool,
    ) -> None:
        """Compare with ``raw.pushes``; ``outcomes`` counts duplicates and conflicts by push.

        A row whose file is not ``covered`` need not have a line.
        """
        for line in self.counted():
            rows = [Push._make(row) for row in self._rows.get(line.push_id, ())]
            if len(rows) != 1:
                said = "is not in the table" if not rows else f"stands in {len(rows)} rows"
                findings.add(_PUSHES, f"push {line.push_id} of {line.file} {said}.", "rows")
                continue
            if covered(rows[0].file):
                self._compare_file(rows[0], line, findings)
            said = _differences(line, rows[0], outcomes, whole=whole)
            if said:
                findings.add(_PUSHES, f"push {line.push_id} of {line.file}: {said}.", "differs")
        for push_id in in_order(self._rows.keys() - self._lines.keys()):
            file = self._rows[push_id][0][2]
            if covered(file):
                sentence = f"push {push_id} is in no landed file; it is said to lie in {file}."
                findings.add(_PUSHES, sentence, "extra")

    def _compare_file(self, row: Push, counted: Line, findings: Findings) -> None:
        """Any file that holds the push will do: it may have been taken before its backup."""
        lines = self._lines[row.push_id]
        if row.file not in {line.file for line in lines if line.content == counted.content}:
            sentence = f"push {row.push_id} is said to lie in {row.file}, not {counted.file}."
            findings.add(_PUSHES, sentence, "file")

    def compare_rejected(self, rows: Iterable[Row], findings: Findings) -> None:
        """Compare with ``raw.rejected_records``, push by push."""
        found = _by_push(rows)
        for line in self.counted():
            expected = Counter((*reject, line.received_us) for reject in line.rejects)
            stands = Counter(row[2:] for row in found.get(line.push_id, ()))
            _say_rejects(expected - stands, line, "is missing", findings)
            _say_rejects(stands - expected, line, "is wrong", findings)
        for push_id in in_order(found.keys() - self._lines.keys() - self._rows.keys()):
            findings.add(_REJECTED, f"push {push_id} is unknown.", "unknown")


def _say_rejects(rejects: Counter[Row], line: Line, word: str, findings: Findings) -> None:
    for position, reason, field, received_us in sorted(rejects, key=repr):
        place = "as a whole" if position is None else f"at position {position}"
        findings.add(
            _REJECTED,
            f"push {line.push_id} of {line.file}: the reject {reason} {place} "
            f"(field {field}, received {shown(received_us)}) {word}.",
            word,
        )


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
