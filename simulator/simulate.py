"""Entry points: play the provider against a URL, or make the bodies without HTTP.

>>> report = simulate(SimulationOptions(url="http://127.0.0.1:8080/yunpian/status/…"))

Equal options make equal bytes in an equal order of scheduling; several requests at once may
overtake each other on the wire.
"""

import asyncio
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

import httpx

from simulator.options import SimulationError, SimulationOptions
from simulator.provider import Provider, PushCounters
from simulator.records import elements
from simulator.schedule import Push, schedule
from simulator.tally import Tally
from simulator.traffic import generate_messages
from simulator.truth import record_truth

__all__ = ["Push", "SimulationOptions", "iter_bodies", "iter_pushes", "simulate"]
_PROGRESS_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a simulation is."""

    counters: PushCounters
    """What became of the pushes so far; the object goes on changing."""
    messages: int
    """Messages whose reports have been generated so far."""
    total: int
    """Messages of the whole simulation."""
    elapsed_s: float
    """Real seconds since it began."""


@dataclass(slots=True, kw_only=True)
class SimulationReport(PushCounters):
    """What was sent, and what a receiver that acknowledged it must have.

    ``records`` = ``distinct_sids`` + ``duplicates`` + ``conflicts`` + ``rejected``. A try whose
    answer was lost (``ReadTimeout`` in ``refusals``) may have been stored all the same: only then
    may a receiver have more.
    """

    messages: int
    """Messages generated."""
    pushes_by_kind: Mapping[str, int]
    """Acknowledged pushes by ``PushKind``."""
    pushes_by_encoding: Mapping[str, int]
    """Acknowledged pushes by ``Encoding``."""
    records: int
    """Records in acknowledged pushes, counted as the contract does."""
    distinct_sids: int
    """Different sids among them."""
    duplicates: int
    """Records that repeat a sid with a content it had."""
    conflicts: int
    """Records that give a sid another content."""
    rejected: int
    """Records that have to be rejected."""
    elapsed_s: float
    """Real seconds."""
    interrupted: bool
    """Whether it was stopped before its end; truth and send log may then be ahead."""


def simulate(
    options: SimulationOptions, on_progress: Callable[[Progress], None] = lambda _: None
) -> SimulationReport:
    """Push everything at ``options.url`` and report; calls ``on_progress`` now and then.

    Ctrl-C ends it in good order: requests in progress are finished, the report is returned; a
    second one raises KeyboardInterrupt. Raises SimulationError where the URL is wrong, OSError
    where the truth or the send log cannot be written.
    """
    if not _is_web_address(options.url):
        raise SimulationError("url must start with http:// or https:// and name a host")
    return asyncio.run(_Simulation(options, on_progress).run())


def iter_bodies(options: SimulationOptions) -> Iterator[bytes]:
    """Yield the bodies in the order they are due, without HTTP."""
    for push in iter_pushes(options):
        yield push.body


def iter_pushes(options: SimulationOptions) -> Iterator[Push]:
    """Yield the pushes in the order they are due; writes truth and send log on the way."""
    messages = record_truth(generate_messages(options), options.truth, options.sends)
    return schedule(elements(messages, options.seed, options.bad), options)


class _Simulation:
    """One run: the provider, the tally and the progress around them."""

    def __init__(self, options: SimulationOptions, on_progress: Callable[[Progress], None]) -> None:
        self._options = options
        self._on_progress = on_progress
        self._tally = Tally(options.messages)
        self._messages = 0
        self._began = self._reported = time.monotonic()

    async def run(self) -> SimulationReport:
        """Push everything, or until interrupted; returns what was acknowledged."""
        provider = Provider(
            self._options.url,
            self._options,
            start_ms=int(self._options.start.timestamp() * 1000),
            on_accepted=self._tally.add,
            on_change=self._progress,
        )
        # Closed here, so that truth and send log are complete files when the report is out.
        with closing(self._pushes()) as pushes:
            interrupted = await _until_interrupted(provider, pushes)
        self._progress(provider.counters, last=True)
        return self._report(provider.counters, interrupted)

    def _pushes(self) -> Generator[Push]:
        for push in iter_pushes(self._options):
            self._messages = max(self._messages, max(push.reports, default=0) // 2 + 1)
            yield push
        self._messages = self._options.messages

    def _progress(self, counters: PushCounters, *, last: bool = False) -> None:
        now = time.monotonic()
        if last or now - self._reported >= _PROGRESS_EVERY_S:
            self._reported = now
            total = self._options.messages
            self._on_progress(Progress(counters, self._messages, total, now - self._began))

    def _report(self, counters: PushCounters, interrupted: bool) -> SimulationReport:
        tally = self._tally
        return SimulationReport(
            **{field.name: getattr(counters, field.name) for field in fields(counters)},
            messages=self._messages,
            pushes_by_kind=dict(tally.pushes_by_kind),
            pushes_by_encoding=dict(tally.pushes_by_encoding),
            records=tally.records,
            distinct_sids=tally.distinct_sids,
            duplicates=tally.duplicates,
            conflicts=tally.conflicts,
            rejected=tally.rejected,
            elapsed_s=time.monotonic() - self._began,
            interrupted=interrupted,
        )


async def _until_interrupted(provider: Provider, pushes: Iterator[Push]) -> bool:
    """Send all pushes; say whether Ctrl-C (which cancels this coroutine) cut it short."""
    sending = asyncio.ensure_future(provider.send(pushes))
    try:
        await asyncio.shield(sending)
    except asyncio.CancelledError:
        provider.stop()
        await sending
        return True
    return False


def _is_web_address(text: str) -> bool:
    try:
        port, url = urlsplit(text).port, httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
        return False
    return url.scheme in ("http", "https") and bool(url.host) and port != 0
