"""A seeded stream of messages, each with its truth.

The split of operators and the daily curve have public sources (their shape, not every digit).
The rest is assumed: the delivered shares, the share of marketing, of messages abroad, of
unreported and conflicting ones, the forms of a uid.
"""

import math
import random
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulator.options import SimulationOptions
from simulator.reports import Carriers, Report
from simulator.subscribers import Subscriber, draw_subscriber

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


def _curve(weights: str) -> tuple[float, ...]:
    """Read 24 weights, midnight first, as shares of a day."""
    numbers = [int(word) for word in weights.split()]
    return tuple(number / sum(numbers) for number in numbers)


_OTP_CURVE = _curve("14 9 6 4 4 7 15 28 46 58 62 60 55 52 55 56 56 57 60 64 66 60 44 25")
# Operators let marketing through in the daytime only.
_MARKETING_CURVE = _curve("0 0 0 0 0 0 0 0 6 30 42 34 14 12 26 34 34 30 24 18 8 0 0 0")
_ODD_UIDS = ("订单 {}", 'say "{}" \\ twice', "50% + 1&uid={}", "😀 {}", " {} ")
"""Senders do use such ids, and they break naive decoders."""


class Message(NamedTuple):
    """One message and its truth."""

    number: int
    """Counts from 0 in order of sending."""
    sid: int
    """The provider's id: grows, has gaps, needs more than 53 bits."""
    uid: str | int | None
    """The sender's id."""
    subscriber: Subscriber
    """Who got it."""
    tag: str
    """``otp`` or ``marketing``."""
    sent_ms: int
    """When it was sent, milliseconds since 1970."""
    reports: tuple[Report, ...]
    """What is reported about it: nothing, once, or a failure and then a success."""

    @property
    def outcome(self) -> str:
        """``delivered``, ``failed`` or ``unreported``."""
        if not self.reports:
            return "unreported"
        return "delivered" if self.reports[-1].delivered else "failed"


def generate_messages(options: SimulationOptions) -> Iterator[Message]:
    """Yield the messages in order of sending."""
    return _Generator(options).messages()


class _Generator:
    """One walk through a options. The order of draws is what makes it reproducible."""

    def __init__(self, options: SimulationOptions) -> None:
        self._options = options
        self._rng = random.Random(f"traffic/{options.seed}")  # noqa: S311  (a simulation)
        self._zone = ZoneInfo(options.zone)
        self._carriers = Carriers(self._rng, self._zone, options.slow)
        self._start_ms = int(options.start.timestamp() * 1000)
        self._delivered = [
            {
                "otp": self._rng.uniform(*options.otp_delivered),
                "marketing": self._rng.uniform(*options.marketing_delivered),
            }
            for _ in range(math.ceil(options.days))
        ]

    def messages(self) -> Iterator[Message]:
        """Yield the messages in order of sending, their sids rising."""
        sid = 0
        for number, (sent_ms, tag) in enumerate(self._sendings()):
            sid = max(sid + 1, (sent_ms << 20) | self._rng.getrandbits(20))
            subscriber = draw_subscriber(self._rng, self._options.foreign)
            reports = self._reports(sent_ms, tag, subscriber)
            yield Message(number, sid, self._uid(sid), subscriber, tag, sent_ms, reports)

    def _sendings(self) -> Iterator[tuple[int, str]]:
        """Yield instants and tags in order: each hour gets its exact share of the messages."""
        hours = list(self._hours())
        total = sum(otp + marketing for _, _, otp, marketing in hours)
        reached, done = 0.0, 0
        for begin_ms, length_ms, otp, marketing in hours:
            reached += otp + marketing
            count = round(self._options.messages * reached / total) - done
            done += count
            chance = marketing / (otp + marketing)
            for offset in sorted([self._rng.random() for _ in range(count)]):
                tag = "marketing" if self._rng.random() < chance else "otp"
                yield begin_ms + int(offset * length_ms), tag

    def _hours(self) -> Iterator[tuple[int, int, float, float]]:
        """Yield each hour's begin and length in ms and its weights of both tags."""
        share = self._options.marketing
        end_ms = self._start_ms + max(round(self._options.days * _DAY_MS), 1)
        for begin_ms in range(self._start_ms, end_ms, _HOUR_MS):
            length_ms = min(_HOUR_MS, end_ms - begin_ms)
            hour = datetime.fromtimestamp(begin_ms / 1000, self._zone).hour
            otp = (1 - share) * _OTP_CURVE[hour] * length_ms
            marketing = share * _MARKETING_CURVE[hour] * length_ms
            yield begin_ms, length_ms, otp, marketing

    def _uid(self, sid: int) -> str | int | None:
        chance = self._rng.random()
        if chance >= 0.14:
            return f"m-{sid:x}"
        if chance < 0.10:
            return None
        if chance < 0.13:
            return sid - 10**18
        if chance < 0.138:
            return ""
        return _ODD_UIDS[int(self._rng.random() * len(_ODD_UIDS))].format(sid)

    def _reports(self, sent_ms: int, tag: str, subscriber: Subscriber) -> tuple[Report, ...]:
        chance = self._rng.random()
        if chance < self._options.unreported:
            return ()
        if chance < self._options.unreported + self._options.conflicts:
            return self._carriers.late_success(sent_ms, subscriber)
        day = (sent_ms - self._start_ms) // _DAY_MS
        if self._rng.random() < self._delivered[day][tag]:
            return (self._carriers.success(sent_ms, subscriber),)
        return (self._carriers.failure(sent_ms, subscriber),)
