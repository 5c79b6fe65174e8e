"""The steps of a verification that are about the send log."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from ingest.settings import Settings
from pipelines.verify.findings import Findings
from pipelines.verify.reports import Report
from pipelines.verify.sendlog import Attributed, Fault, Line, LoneSends, send_clock
from pipelines.verify.sends import (
    SendFile,
    SendRow,
    SendsBucket,
    compare_counts,
    compare_ledger,
    compare_rejected,
    compare_sends,
    read_send_file,
)
from pipelines.verify.spill import Row, Spill


class SendRecount:
    """Memory holds a bucket, sends without a sid, and the rejects."""

    def __init__(
        self, settings: Settings, spills: dict[str, Spill], buckets: int, findings: Findings
    ) -> None:
        self._settings = settings
        self._spills = spills
        self._buckets = buckets
        self._findings = findings
        self.accepted = 0
        """Rows that say what was sent, copies included."""
        self._rejected: Counter[Row] = Counter()
        self._lone = LoneSends()
        self._matched_lone: dict[int, Attributed] = {}
        self._matches: Counter[str] = Counter()

    def read(self) -> None:
        """Read every row of every known file; lines with a sid go to their buckets."""
        clock = send_clock(self._settings.sends_timezone)
        for _, *columns in self._spills["ops.send_files"].rows(0):
            known = SendFile(*columns)
            received, rejected = 0, self._rejected.total()
            rows = read_send_file(self._settings.sends, known, clock, self._findings)
            for position, row in rows:
                received += 1
                self._take(known.name, position, row)
            compare_counts(known, received, self._rejected.total() - rejected, self._findings)
        self._spills["sends"].flush()
        stand = self._spills["raw.rejected_sends"].rows(0)
        compare_rejected(self._rejected, stand, self._findings)

    def _take(self, file: str, position: int, row: Line | Fault) -> None:
        if isinstance(row, Fault):
            self._rejected[file, position, *row] += 1
            return
        self.accepted += 1
        if row.sid is None:
            self._lone.add(row)
        else:
            self._spills["sends"].extend([tuple(row)])

    def match_lone(self, winners: Callable[[int], Iterable[Row]]) -> None:
        """Find the messages of sends without a sid: for that, all uids must be seen first.

        ``winners`` gives the winning reports of a bucket.
        """
        for number in range(self._buckets if self._lone.lines else 0):
            sends = self.bucket(number)
            for line in sends.lines:
                self._lone.saw_send(line)
            for winner in map(Report._make, winners(number)):
                has_send = sends.attributed(winner.sid) is not None
                self._lone.saw_message(winner.sid, winner.uid, has_send=has_send)
        self._matched_lone = {
            sent.reported_sid: Attributed(line.sent_us, line.tag)
            for line, sent in self._lone.matched()
            if sent.reported_sid is not None
        }

    def bucket(self, number: int) -> SendsBucket:
        """Return the lines with a sid of one bucket, and what messages get from all lines."""
        return SendsBucket(self._spills["sends"].rows(number), self._matched_lone)

    def compare(
        self, number: int, sends: SendsBucket, is_reported: Callable[[int], bool], *, whole: bool
    ) -> Iterator[SendRow]:
        """Compare with the rows of ``core.sends``, which are passed on."""
        expected = dict(sends.sent(is_reported))
        if number == 0:
            # rows without a sid lie in the first bucket
            expected |= dict(self._lone.matched())
        self._matches.update(sent.match for sent in expected.values())
        stand = [SendRow._make(row) for row in self._spills["core.sends"].rows(number)]
        if whole:
            compare_sends(expected, stand, self._findings)
        yield from stand

    def compare_ledger(self, rows: list[Row]) -> None:
        """Compare with the newest row of ``ops.sends_ledger``."""
        rejected, lines = self._rejected.total(), self._matches.total()
        repeated = self._matches["repeated"]
        received = self.accepted + rejected
        figures = (received, lines - repeated, repeated, self.accepted - lines, rejected)
        compare_ledger(figures, self._settings.sends_timezone, rows, self._findings)
