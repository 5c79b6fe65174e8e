"""What a receiver must have after the pushes it accepted, to compare with its ledger."""

from collections import Counter
from operator import or_

from simulator.schedule import Push


class Tally:
    """Counts pushes as the product's contract (section 7) does.

    Exact whatever was lost on the way. Takes two bytes of memory a message.
    """

    def __init__(self, messages: int) -> None:
        self._seen = bytearray(2 * messages)
        self.pushes_by_kind: Counter[str] = Counter()
        """Pushes by ``PushKind``."""
        self.pushes_by_encoding: Counter[str] = Counter()
        """Pushes by ``Encoding``."""
        self.records = 0
        """Elements of all arrays; an undecodable push and an unreadable rest count one each."""
        self.rejected = 0
        """Records that have to be rejected."""
        self.reports = 0
        """Good records, duplicates included."""

    def add(self, push: Push) -> None:
        """Count one accepted push."""
        self.pushes_by_kind[push.kind] += 1
        self.pushes_by_encoding[push.encoding] += 1
        self.records += push.records
        self.rejected += push.rejected
        self.reports += len(push.reports)
        for report in push.reports:
            self._seen[report] = 1

    @property
    def distinct_sids(self) -> int:
        """Messages with at least one report: rows of the product's main table."""
        return sum(map(or_, self._seen[::2], self._seen[1::2]))

    @property
    def conflicts(self) -> int:
        """Second contents of a sid."""
        return sum(self._seen) - self.distinct_sids

    @property
    def duplicates(self) -> int:
        """Copies of a content that was known already."""
        return self.reports - sum(self._seen)
