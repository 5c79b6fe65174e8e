"""The provider's sender: posts each push, and again when it was not acknowledged.

From the provider's page: only ``SUCCESS`` or ``0`` counts as accepted, a refused batch comes again
every 5 minutes, at most 3 times. Whether that means 3 tries or 1 + 3 is ambiguous; here it means
1 + 3, which gives the receiver more time to come back.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import httpx

from simulator.encodings import CONTENT_TYPE
from simulator.options import SimulationOptions
from simulator.schedule import Push
from simulator.tally import Tally

ACCEPTED_BODIES = frozenset({b"SUCCESS", b"0"})
REPUSH_DELAY_S = 300.0
"""Simulated seconds between two tries of a push."""
REPUSHES = 3
"""Tries after the first one; then the push is lost for good."""


class Provider:
    """Sends pushes to one URL and counts them in ``tally``."""

    def __init__(
        self,
        options: SimulationOptions,
        tally: Tally,
        on_change: Callable[[Tally], None],
    ) -> None:
        self._url = httpx.URL(options.url)
        self._options = options
        self._tally = tally
        self._start_ms = int(options.start.timestamp() * 1000)
        self._on_change = on_change
        self._stopped = asyncio.Event()
        self._slots = asyncio.Semaphore(options.concurrency)
        self._began = self._next_turn = 0.0

    async def send(self, pushes: Iterable[Push]) -> None:
        """Send all pushes and return when each is accepted, given up or abandoned.

        Errors of the iterable are raised as they are; errors of the network count as refusals.
        """
        self._began = self._next_turn = asyncio.get_running_loop().time()
        # Requests to loopback must not go through a proxy of the environment.
        async with httpx.AsyncClient(
            limits=httpx.Limits(max_connections=self._options.concurrency),
            timeout=self._options.timeout_s,
            trust_env=False,
        ) as client:
            try:
                feed = iter(pushes)
                async with asyncio.TaskGroup() as tasks:
                    for _ in range(self._options.concurrency):
                        tasks.create_task(self._work(client, feed, tasks))
            except ExceptionGroup as group:
                raise group.exceptions[0] from None

    def stop(self) -> None:
        """Take no further push and drop those that wait; requests in progress are finished."""
        self._stopped.set()

    async def _work(
        self, client: httpx.AsyncClient, feed: Iterator[Push], tasks: asyncio.TaskGroup
    ) -> None:
        for push in feed:
            await self._turn(push)
            if self._stopped.is_set():
                return
            self._tally.pushes += 1
            if not await self._try(client, push):
                tasks.create_task(self._push_again(client, push))

    async def _turn(self, push: Push) -> None:
        """Wait until ``push`` may leave for the first time."""
        now = asyncio.get_running_loop().time()
        due = now
        if self._options.on_schedule:
            simulated_s = (push.at_ms - self._start_ms) / 1000
            due = max(due, self._began + simulated_s / self._options.speed)
        if self._options.rate is not None:
            due = max(due, self._next_turn)
            self._next_turn = due + 1 / self._options.rate
        await self._rest(due - now)

    async def _push_again(self, client: httpx.AsyncClient, push: Push) -> None:
        for _ in range(REPUSHES):
            await self._rest(REPUSH_DELAY_S / self._options.speed)
            if self._stopped.is_set():
                self._tally.abandoned += 1
                return
            self._tally.repushes += 1
            if await self._try(client, push):
                return
        self._tally.given_up += 1
        self._on_change(self._tally)

    async def _rest(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopped.wait()

    async def _try(self, client: httpx.AsyncClient, push: Push) -> bool:
        async with self._slots:
            refusal = await self._post(client, push.body)
        if refusal:
            self._tally.refusals[refusal] += 1
        else:
            self._tally.add(push)
        self._on_change(self._tally)
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
        self._tally.latencies_s.append(loop.time() - began)
        if answer.status_code != 200:
            return f"status {answer.status_code}"
        return None if answer.content in ACCEPTED_BODIES else "other body"
