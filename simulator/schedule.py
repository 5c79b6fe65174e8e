"""When the provider pushes what: batches, replays and damaged pushes in order of time."""

import heapq
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from simulator.damage import (
    DAMAGE_KINDS,
    Payload,
    PushKind,
    array_payload,
    array_text,
    damaged_payload,
)
from simulator.encodings import Encoding, encode_body, escape_non_ascii, survives_raw
from simulator.options import SimulationOptions
from simulator.records import Element

REPLAY_DELAYS_MS = (300_000, 600_000, 900_000)
"""A replay comes where a re-push would: 5, 10 or 15 minutes later."""
DAMAGE_DELAY_MS = 1_000
"""A damaged copy follows its batch by this."""
ASCII_SHARE = 0.5
"""Batches whose JSON is written in ASCII escapes. An assumption."""
EXTRAS_SHARE = 0.05
"""Batches with other parameters beside ``sms_status``. An assumption."""

_EXTRAS = (("callback_id", "7"), ("app", "短信 demo"), ("version", "2.0"))


class Push(NamedTuple):
    """One push of the provider."""

    at_ms: int
    """When it is due, milliseconds since 1970, on the simulated clock."""
    kind: PushKind
    """What it is."""
    encoding: Encoding
    """How its value is encoded."""
    body: bytes
    """The form body."""
    records: int
    """Records it counts as (the product's contract, section 7), the rejected ones included."""
    rejected: int
    """Records that have to be rejected."""
    reports: tuple[int, ...]
    """Its good records: twice the message's number, plus 1 for a late success."""

    @property
    def at(self) -> datetime:
        """When it is due; aware, UTC."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)


def schedule(elements: Iterable[Element], options: SimulationOptions) -> Iterator[Push]:
    """Yield the pushes of ``elements`` (in order of readiness) in the order they are due."""
    return _Scheduler(options).pushes(elements)


def batches(
    elements: Iterable[Element], size: int, wait_s: float | None
) -> Iterator[tuple[int, list[Element]]]:
    """Yield each batch with the instant it is complete, in milliseconds since 1970."""
    wait_ms = float("inf") if wait_s is None else wait_s * 1000
    batch: list[Element] = []
    for element in elements:
        if batch and element.ready_ms > batch[0].ready_ms + wait_ms:
            yield int(batch[0].ready_ms + wait_ms), batch
            batch = []
        batch.append(element)
        if len(batch) == size:
            yield element.ready_ms, batch
            batch = []
    if batch:
        yield batch[-1].ready_ms, batch


class _Scheduler:
    """One walk through a options. The order of draws is what makes it reproducible."""

    def __init__(self, options: SimulationOptions) -> None:
        self._options = options
        self._rng = random.Random(f"schedule/{options.seed}")  # noqa: S311  (a simulation)
        self._encodings = list(options.encodings)
        self._weights = list(options.encodings.values())
        self._later: list[tuple[int, int, Push]] = []
        self._numbers = 0

    def pushes(self, elements: Iterable[Element]) -> Iterator[Push]:
        """Yield every push in order of time, replays and damaged copies among them."""
        options = self._options
        for at_ms, batch in batches(elements, options.batch_size, options.batch_wait_s):
            while self._later and self._later[0][0] <= at_ms:
                yield heapq.heappop(self._later)[2]
            yield self._push(at_ms, batch)
        while self._later:
            yield heapq.heappop(self._later)[2]

    def _push(self, at_ms: int, batch: Sequence[Element]) -> Push:
        text = array_text(batch)
        encoding = self._encoding(text)
        data = escape_non_ascii(text) if self._rng.random() < ASCII_SHARE else text
        payload = array_payload(batch, data.encode())
        push = self._encoded(at_ms, PushKind.BATCH, encoding, payload)
        if self._rng.random() < self._options.duplicates:
            self._replay(push)
        # Salvage may decode once too often, which changes a text with a percent sign: such a
        # copy would be a conflict or a duplicate at the receiver's discretion.
        if self._rng.random() < self._options.damaged and push.reports and survives_raw(text):
            self._damage(push, batch)
        return push

    def _encoding(self, text: str) -> Encoding:
        encoding = self._rng.choices(self._encodings, self._weights)[0]
        return Encoding.ONCE if encoding is Encoding.RAW and not survives_raw(text) else encoding

    def _encoded(self, at_ms: int, kind: PushKind, encoding: Encoding, payload: Payload) -> Push:
        before, after = self._extras()
        body = encode_body(payload.data, encoding, before=before, after=after)
        return Push(at_ms, kind, encoding, body, *payload[1:])

    def _extras(self) -> tuple[Sequence[tuple[str, str]], Sequence[tuple[str, str]]]:
        if self._rng.random() >= EXTRAS_SHARE:
            return (), ()
        extras = self._rng.sample(_EXTRAS, len(_EXTRAS))
        cut = self._rng.randrange(len(extras) + 1)
        return extras[:cut], extras[cut:]

    def _replay(self, push: Push) -> None:
        at_ms = push.at_ms + self._rng.choice(REPLAY_DELAYS_MS)
        self._put_off(push._replace(at_ms=at_ms, kind=PushKind.REPLAY))

    def _damage(self, push: Push, batch: Sequence[Element]) -> None:
        kind = self._rng.choice(DAMAGE_KINDS)
        payload = damaged_payload(kind, batch, self._rng)
        self._put_off(self._encoded(push.at_ms + DAMAGE_DELAY_MS, kind, push.encoding, payload))

    def _put_off(self, push: Push) -> None:
        """Keep a push for later; the number keeps equal instants in order of their making."""
        self._numbers += 1
        heapq.heappush(self._later, (push.at_ms, self._numbers, push))
