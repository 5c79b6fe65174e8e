"""What becomes of a message, and what the carrier says about it.

Figures with public sources (their shape, not every digit): a log-normal handset latency with
a long tail, operators that report minutes only, the codes. Assumptions: the share of slow
messages, delays of failures, the values of ``error_msg`` on success, unreadable times.
"""

import math
import random
from datetime import tzinfo
from typing import NamedTuple

from simulator.clock import naive_text
from simulator.codes import REPORT_DELAY_MEDIAN_S, draw_failure
from simulator.subscribers import Subscriber

HANDSET_MEDIAN_S = 4.0
"""Median of the handset latency of all but the slow messages."""
LATENCY_SIGMA = 0.9
"""Standard deviation of the latency's natural logarithm."""
SLOW_RANGE_S = (60.0, 86_400.0)
"""Where the slow messages arrive, log-uniform: switched off, out of coverage, abroad."""
REPORT_LAG_MS = (1_000, 10_000)
"""From the carrier's final word to the provider having it ready to push."""
LATE_SUCCESS_S = (60.0, 7_200.0)
"""From a failure being known to the success that follows after all. An assumption."""
MINUTES_ONLY = frozenset({"china_unicom"})
"""Operators whose times are cut to the minute. That some do is public, which one is made up."""
UNREADABLE_SHARE = 0.01
"""Failures without a readable time. An assumption."""
UNREADABLE_TIMES = (None, None, None, "0000-00-00 00:00:00", "N/A")
"""What stands in ``user_receive_time`` of those."""


class Report(NamedTuple):
    """What the provider says about a message, once."""

    ready_ms: int
    """When the provider has it, milliseconds since 1970."""
    delivered: bool
    """``SUCCESS`` or ``FAIL``."""
    handset_s: int | None
    """The reported time, whole seconds since 1970; None where it is not readable."""
    receive_time: str | None
    """The same as the record carries it: naive, in the provider's zone."""
    error_msg: str | None
    """The carrier's code; ``DELIVRD``, empty or None on success."""
    error_detail: str | None
    """The carrier's text; None where the record has no such field."""
    party: str | None
    """Who is at fault; None on success."""


class Carriers:
    """All carriers together: draws what they report."""

    def __init__(self, rng: random.Random, zone: tzinfo, slow_share: float) -> None:
        self._rng = rng
        self._zone = zone
        self._slow_share = slow_share

    def success(self, sent_ms: int, subscriber: Subscriber) -> Report:
        """Report a message that was sent at ``sent_ms`` as delivered."""
        return self._delivered(sent_ms + self._handset_ms(), subscriber)

    def failure(self, sent_ms: int, subscriber: Subscriber) -> Report:
        """Report it as failed; the reported time is that of the report."""
        party, code = draw_failure(self._rng, subscriber.operator)
        at_ms = sent_ms + self._log_normal_ms(REPORT_DELAY_MEDIAN_S[party])
        seconds = _reported_s(at_ms, subscriber.operator)
        readable = self._rng.random() >= UNREADABLE_SHARE
        return Report(
            ready_ms=at_ms + self._lag_ms(),
            delivered=False,
            handset_s=seconds if readable else None,
            receive_time=(
                naive_text(seconds, self._zone) if readable else self._rng.choice(UNREADABLE_TIMES)
            ),
            error_msg=code.code,
            error_detail=None if subscriber.operator == "foreign" else code.detail,
            party=party,
        )

    def late_success(self, sent_ms: int, subscriber: Subscriber) -> tuple[Report, Report]:
        """Report it as failed first, and as delivered later."""
        failure = self.failure(sent_ms, subscriber)
        later_ms = int(1000 * self._rng.uniform(*LATE_SUCCESS_S))
        return failure, self._delivered(failure.ready_ms + later_ms, subscriber)

    def _delivered(self, at_ms: int, subscriber: Subscriber) -> Report:
        seconds = _reported_s(at_ms, subscriber.operator)
        chance = self._rng.random()
        return Report(
            ready_ms=at_ms + self._lag_ms(),
            delivered=True,
            handset_s=seconds,
            receive_time=naive_text(seconds, self._zone),
            error_msg="DELIVRD" if chance < 0.90 else "" if chance < 0.97 else None,
            error_detail=None if subscriber.operator == "foreign" else "接收成功",
            party=None,
        )

    def _handset_ms(self) -> int:
        if self._rng.random() < self._slow_share:
            low, high = SLOW_RANGE_S
            return int(1000 * low * (high / low) ** self._rng.random())
        return self._log_normal_ms(HANDSET_MEDIAN_S)

    def _log_normal_ms(self, median_s: float) -> int:
        return int(1000 * median_s * math.exp(LATENCY_SIGMA * self._rng.gauss(0.0, 1.0)))

    def _lag_ms(self) -> int:
        low, high = REPORT_LAG_MS
        return low + int(self._rng.random() * (high - low))


def _reported_s(at_ms: int, operator: str) -> int:
    """Return an instant as the operator reports it: whole seconds, or whole minutes."""
    seconds = at_ms // 1000
    return seconds - seconds % 60 if operator in MINUTES_ONLY else seconds
