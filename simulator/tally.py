"""What became of the pushes, and what a receiver must have after those that it accepted."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from operator import or_

from simulator.schedule import Push


@dataclass(slots=True)
class Tally:
    """Counts pushes as the product's contract (section 7) does, exactly, whatever is lost.

    ``records`` = ``distinct_sids`` + ``duplicates`` + ``conflicts`` + ``rejected``. A try whose
    answer was lost (``ReadTimeout`` in ``refusals``) may have been stored all the same: only then
    may a receiver have more. Takes two bytes of memory a message.
    """

    total: int
    """Messages of the whole simulation."""
    messages: int = 0
    """Messages whose reports have been made so far."""
    pushes: int = 0
    """Pushes tried at least once."""
    accepted: int = 0
    """Pushes acknowledged, at whichever try."""
    repushes: int = 0
    """Tries after a first one."""
    given_up: int = 0
    """Pushes lost: refused at the last try too."""
    abandoned: int = 0
    """Pushes that waited for their next try when sending was stopped."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Tries that were not accepted, by cause: ``status 503``, ``other body``, ``ConnectError``…"""
    latencies_s: "array[float]" = field(default_factory=lambda: array("d"))
    """Seconds from sending to the answer, for every try that was answered. With more than one
    connection they include what this process did meanwhile, such as making the next body."""
    records: int = 0
    """Elements of accepted pushes; an undecodable push and an unreadable rest count one each."""
    rejected: int = 0
    """Records that have to be rejected."""
    reports: int = 0
    """Good records, duplicates included."""
    elapsed_s: float = 0.0
    """Real seconds that sending took."""
    interrupted: bool = False
    """Whether it was stopped before its end; truth and send log may then be ahead."""
    _seen: bytearray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._seen = bytearray(2 * self.total)

    def add(self, push: Push) -> None:
        """Count one accepted push."""
        self.accepted += 1
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

    def latency_s(self, quantile: float) -> float | None:
        """Seconds to an answer; None without any."""
        ordered = sorted(self.latencies_s)
        return ordered[min(int(quantile * len(ordered)), len(ordered) - 1)] if ordered else None
