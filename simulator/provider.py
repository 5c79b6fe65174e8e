"""The provider's sender: posts each push, and again when the answer is not the right one.

From the provider's page: only ``SUCCESS`` or ``0`` counts as accepted, a refused batch comes
again every 5 minutes, at most 3 times. Whether that means 3 tries or 1 + 3 is ambiguous; this
one re-pushes 3 times, the reading that gives the receiver the longer time to come back.
"""

import asyncio
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from simulator.encodings import CONTENT_TYPE
from simulator.schedule import Push

ACCEPTED_BODIES = frozenset({b"SUCCESS", b"0"})
REPUSH_DELAY_S = 300.0
"""Simulated seconds between two tries of a push."""
REPUSHES = 3
"""Tries after the first one; then the push is lost for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast pushes leave."""

    concurrency: int = 8
    """Most requests under way at once."""
    rate: float | None = None
    """Most first tries per real second; None sends as fast as answers come."""
    speed: float = 1.0
    """Simulated seconds in a real one: divides the delay of re-pushes, and the schedule."""
    schedule_from_ms: int | None = None
    """Instant of the simulated clock (ms since 1970) at which sending starts, each push waiting
    for its own; None does not wait."""
    timeout_s: float = 10.0
    """Longest real time for an answer, and for a connection. An assumption."""


@dataclass(slots=True)
class PushCounters:
    """What became of the pushes so far."""

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
    records_acknowledged: int = 0
    """Records in accepted pushes (``Push.records``)."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Tries that were not accepted, by cause: ``status 503``, ``other body``, ``ConnectError``…"""
    latencies_s: "array[float]" = field(default_factory=lambda: array("d"))
    """Seconds from sending to the answer, for every try that was answered. With more than one
    connection they include what this process did meanwhile, such as making the next body."""

    def latency_s(self, quantile: float) -> float | None:
        """Return the latency below which ``quantile`` (0 to 1) of the answers lie, if any."""
        if not self.latencies_s:
            return None
        ordered = sorted(self.latencies_s)
        return ordered[min(int(quantile * len(ordered)), len(ordered) - 1)]


class Provider:
    """Sends pushes at one URL."""

    def __init__(
        self,
        url: str,
        pace: Pace,
        *,
        on_accepted: Callable[[Push], None] = lambda _: None,
        on_change: Callable[[PushCounters], None] = lambda _: None,
    ) -> None:
        self.counters = PushCounters()
        """Kept up to date while sending."""
        self._url = httpx.URL(url)
        self._pace = pace
        self._on_accepted = on_accepted
        self._on_change = on_change
        self._stopped = asyncio.Event()
        self._slots = asyncio.Semaphore(pace.concurrency)
        self._began = self._next_turn = 0.0

    async def send(self, pushes: Iterable[Push]) -> PushCounters:
        """Send all pushes and return when each is accepted, given up or abandoned.

        Errors of the iterable are raised as they are; errors of the network count as refusals.
        """
        self._began = self._next_turn = asyncio.get_running_loop().time()
        # A proxy from the environment must not get what is meant for loopback.
        async with httpx.AsyncClient(
            limits=httpx.Limits(max_connections=self._pace.concurrency),
            timeout=self._pace.timeout_s,
            trust_env=False,
        ) as client:
            try:
                await self._send_all(client, iter(pushes))
            except ExceptionGroup as group:
                raise group.exceptions[0] from None
        return self.counters

    def stop(self) -> None:
        """Take no further push and drop those that wait; what is under way is finished."""
        self._stopped.set()

    async def _send_all(self, client: httpx.AsyncClient, feed: Iterator[Push]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._pace.concurrency):
                tasks.create_task(self._work(client, feed, tasks))

    async def _work(
        self, client: httpx.AsyncClient, feed: Iterator[Push], tasks: asyncio.TaskGroup
    ) -> None:
        for push in feed:
            await self._turn(push)
            if self._stopped.is_set():
                return
            self.counters.pushes += 1
            if not await self._try(client, push):
                tasks.create_task(self._push_again(client, push))

    async def _turn(self, push: Push) -> None:
        """Wait until ``push`` may leave for the first time."""
        now = asyncio.get_running_loop().time()
        due = now
        if self._pace.schedule_from_ms is not None:
            simulated_s = (push.at_ms - self._pace.schedule_from_ms) / 1000
            due = max(due, self._began + simulated_s / self._pace.speed)
        if self._pace.rate is not None:
            due = max(due, self._next_turn)
            self._next_turn = due + 1 / self._pace.rate
        await self._rest(due - now)

    async def _push_again(self, client: httpx.AsyncClient, push: Push) -> None:
        for _ in range(REPUSHES):
            await self._rest(REPUSH_DELAY_S / self._pace.speed)
            if self._stopped.is_set():
                self.counters.abandoned += 1
                return
            self.counters.repushes += 1
            if await self._try(client, push):
                return
        self.counters.given_up += 1
        self._on_change(self.counters)

    async def _rest(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopped.wait()

    async def _try(self, client: httpx.AsyncClient, push: Push) -> bool:
        async with self._slots:
            refusal = await self._post(client, push.body)
        if refusal:
            self.counters.refusals[refusal] += 1
        else:
            self.counters.accepted += 1
            self.counters.records_acknowledged += push.records
            self._on_accepted(push)
        self._on_change(self.counters)
        return not refusal

    async def _post(self, client: httpx.AsyncClient, body: bytes) -> str | None:
        """Post one body; return why it was not accepted, or None."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            answer = await client.post(
                self._url, content=body, headers={"Content-Type": CONTENT_TYPE}
            )
        except httpx.HTTPError as error:
            return type(error).__name__
        self.counters.latencies_s.append(loop.time() - began)
        if answer.status_code != 200:
            return f"status {answer.status_code}"
        return None if answer.content in ACCEPTED_BODIES else "other body"
