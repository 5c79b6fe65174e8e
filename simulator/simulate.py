"""Entry points: play the provider against a URL, or make the bodies without HTTP.

>>> report = simulate(SimulationOptions(url="http://127.0.0.1:8080/yunpian/status/…"))

Equal options make equal bytes in an equal order of scheduling; several requests at once may
overtake each other on the wire.
"""

import asyncio
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import httpx

from simulator.options import SimulationError, SimulationOptions
from simulator.provider import Provider
from simulator.records import elements
from simulator.schedule import Push, schedule
from simulator.tally import Tally
from simulator.traffic import generate_messages
from simulator.truth import record_truth

__all__ = ["Push", "SimulationOptions", "iter_bodies", "iter_pushes", "simulate"]


def simulate(
    options: SimulationOptions, on_change: Callable[[Tally], None] = lambda _: None
) -> Tally:
    """Push everything at ``options.url``; calls ``on_change`` after each try with what is counted.

    Ctrl-C ends it in good order: requests in progress are finished, the tally is returned; a
    second one raises KeyboardInterrupt. Raises SimulationError where the URL is wrong, OSError
    where the truth or the send log cannot be written.
    """
    if not _is_web_address(options.url):
        raise SimulationError("url must start with http:// or https:// and name a host")
    return asyncio.run(_simulate(options, on_change))


def iter_bodies(options: SimulationOptions) -> Iterator[bytes]:
    """Yield the bodies in the order they are due, without HTTP."""
    for push in iter_pushes(options):
        yield push.body


def iter_pushes(options: SimulationOptions) -> Iterator[Push]:
    """Yield the pushes in the order they are due; writes truth and send log on the way."""
    messages = record_truth(generate_messages(options), options.truth, options.sends)
    return schedule(elements(messages, options.seed, options.bad), options)


async def _simulate(options: SimulationOptions, on_change: Callable[[Tally], None]) -> Tally:
    tally = Tally(options.messages)
    provider = Provider(options, tally, on_change)
    began = time.monotonic()
    # Closed here, so that truth and send log are complete files on return.
    with closing(_pushes(options, tally)) as pushes:
        tally.interrupted = await _until_interrupted(provider, pushes)
    tally.elapsed_s = time.monotonic() - began
    on_change(tally)
    return tally


def _pushes(options: SimulationOptions, tally: Tally) -> Generator[Push]:
    for push in iter_pushes(options):
        tally.messages = max(tally.messages, max(push.reports, default=0) // 2 + 1)
        yield push
    tally.messages = options.messages


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
