"""Whether the tables of messages say what the reports say, one bucket of messages at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pipelines.verify.clock import shown
from pipelines.verify.findings import Findings, in_order
from pipelines.verify.sendlog import Attributed
from pipelines.verify.spill import Row
from pipelines.verify.tables import Message, Repeated, Version, push_key
from pipelines.verify.winners import Rules, Settled, expected_row, settle

_STATUS = "core.sms_status"
_RECOMPUTED = _OPERATOR = Message._fields.index("range_operator")
_TIMES = {
    "sent_at_utc",
    "handset_time_utc",
    "event_time_utc",
    "event_hour_utc",
    "first_received_at_utc",
}
_PRIVATE = {"tag", "uid", "mobile", "handset_time_raw", "error_code", "error_detail"}
"""Free text, in which a mobile may stand: never shown."""


class Bucket:
    """The messages of one bucket: their reports from the bytes, then their rows."""

    def __init__(self, reports: Iterable[Row], ignored: set[tuple[str, int]], rules: Rules) -> None:
        self._rules = rules
        self._single: dict[int, Row] = {}
        self.several: dict[int, Settled] = {}
        groups: dict[int, list[Row]] = {}
        for report in reports:
            if ignored and (report[2], report[4]) in ignored:
                continue
            first = self._single.setdefault(report[0], report)
            if first is not report:
                groups.setdefault(report[0], [first]).append(report)
        for sid, group in groups.items():
            counted = _once_a_push(group)
            if len(counted) > 1:
                self.several[sid] = settle(counted, rules.handset_us)
            else:
                self._single[sid] = counted[0]

    @property
    def sids(self) -> int:
        """Messages in the bucket."""
        return len(self._single)

    def winners(self) -> Iterator[Row]:
        """Yield the report that wins, of every message."""
        for sid, single in self._single.items():
            settled = self.several.get(sid)
            yield settled.winner if settled else single

    def is_reported(self, sid: int) -> bool:
        """Tell whether the message has a report."""
        return sid in self._single

    def compare(
        self,
        rows: Iterable[Row],
        send_of: Callable[[int], Attributed | None],
        findings: Findings,
        *,
        whole: bool,
    ) -> Iterator[Message]:
        """Compare with the rows of ``core.sms_status``, which are passed on.

        Where not the ``whole`` landing was read, a message may have more reports than are known.
        """
        seen: set[int] = set()
        for row in rows:
            yield Message._make(row)
            sid = row[0]
            if sid in seen:
                findings.add(_STATUS, f"sid {sid} has more than one row.", "doubled")
            seen.add(sid)
            if sid in self._single and whole:
                self._compare_row(row, send_of(sid), findings)
            elif sid in self._single:
                self._compare_part(row, findings)
            elif whole:
                findings.add(_STATUS, f"sid {sid} is in no landed file.", "extra")
        for sid in in_order(self._single.keys() - seen):
            push_id = self._single[sid][2]
            sentence = f"sid {sid} has no row, but push {push_id} brought a report of it."
            findings.add(_STATUS, sentence, "missing")

    def _compare_row(self, row: Row, send: Attributed | None, findings: Findings) -> None:
        sid, operator = row[0], row[_OPERATOR]
        settled = self.several.get(sid)
        if settled is None:
            single = self._single[sid]
            expected = expected_row(
                single, 1, single[1], operator, self._rules, conflicting=False, send=send
            )
        else:
            expected = expected_row(
                settled.winner,
                settled.copies,
                settled.first_us,
                operator,
                self._rules,
                conflicting=bool(settled.versions),
                send=send,
            )
        if row[:_RECOMPUTED] != expected:
            said = differences(Message._fields, expected, row)
            findings.add(_STATUS, f"sid {sid}: {said}.", "differs")

    def _compare_part(self, row: Row, findings: Findings) -> None:
        """Compare what must hold though the message may have reports that were not read."""
        message = Message._make(row)
        settled = self.several.get(message.sid)
        single = self._single[message.sid]
        copies, first_us = (settled.copies, settled.first_us) if settled else (1, single[1])
        first = message.first_received_at_utc
        if (message.copies or 0) < copies or first is None or first > first_us:
            findings.add(
                _STATUS,
                f"sid {message.sid}: {message.copies} copies, the first at "
                f"{shown(first)}, where this day alone has {copies}, the "
                f"first at {shown(first_us)}.",
                "differs",
            )

    def compare_versions(self, rows: Iterable[Row], findings: Findings) -> None:
        """Compare with the rows of ``core.conflicting_reports``."""
        where, found = "core.conflicting_reports", _grouped(rows)
        for sid in in_order(found.keys() | self.several.keys()):
            settled = self.several.get(sid)
            expected: list[Any] = list(settled.versions) if settled else []
            rows_found = sorted(found.get(sid, []), key=lambda row: (row[1] is None, row[1] or 0))
            if len(rows_found) != len(expected):
                said = f"{len(rows_found)} versions where the landed files have {len(expected)}"
                findings.add(where, f"sid {sid}: {said}.", "versions")
                continue
            for row, version in zip(rows_found, expected, strict=True):
                if row != version:
                    said = differences(Version._fields, version, row)
                    findings.add(where, f"sid {sid}, version {version.version}: {said}.", "differs")

    def compare_repeated(self, rows: Iterable[Row], findings: Findings) -> None:
        """Compare with the rows of ``core.repeated_reports``."""
        where, found = "core.repeated_reports", _grouped(rows)
        for sid in in_order(found.keys() | self.several.keys()):
            settled = self.several.get(sid)
            expected = settled.repeated if settled else []
            rows_found = [Repeated._make(row) for row in found.get(sid, [])]
            if sorted(rows_found, key=repr) != sorted(expected, key=repr):
                said = _outcomes(rows_found, expected)
                findings.add(where, f"sid {sid}: {said}.", "differs")

    def outcomes(self) -> Iterator[Row]:
        """Push and outcome of every report that is not the first of its message."""
        for settled in self.several.values():
            for copy in settled.repeated:
                if copy.outcome != "accepted":
                    yield push_key(copy.push_id), copy.push_id, copy.outcome


def _once_a_push(group: list[Row]) -> list[Row]:
    """Count a push that was landed in several lines, one a restored backup, in the first only."""
    first_line: dict[str, int] = {}
    for report in group:
        first_line[report[2]] = min(report[4], first_line.get(report[2], report[4]))
    return [report for report in group if report[4] == first_line[report[2]]]


def _grouped(rows: Iterable[Row]) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[0]].append(row)
    return groups


def _outcomes(found: list[Repeated], expected: list[Repeated]) -> str:
    only_found, only_expected = set(found) - set(expected), set(expected) - set(found)
    if not only_found and not only_expected:
        return f"{len(found)} rows where there are {len(expected)} reports"
    if {copy[:4] for copy in only_found} == {copy[:4] for copy in only_expected}:
        copy = min(only_found, key=repr)
        return f"the content of {copy.outcome} in push {copy.push_id} at {copy.position} differs"
    parts = [
        f"{word} {copy.outcome} in push {copy.push_id} at {copy.position}"
        for word, rows in (("found", only_found), ("expected", only_expected))
        for copy in sorted(rows, key=repr)[:1]
    ]
    return ", ".join(parts)


def differences(names: Iterable[str], expected: Iterable[Any], found: Iterable[Any]) -> str:
    """Name columns that differ, with their values where these hold no private text."""
    parts = []
    for name, right, stands in zip(names, expected, found, strict=False):
        if right == stands:
            continue
        if name in _PRIVATE:
            parts.append(f"{name} differs from the landed files")
        elif name in _TIMES:
            parts.append(f"{name} is {shown(stands)}, expected {shown(right)}")
        else:
            parts.append(f"{name} is {stands}, expected {right}")
    return "; ".join(parts)
