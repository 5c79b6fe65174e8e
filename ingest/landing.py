"""Landing: pushes become durable files, many pushes to a file, before anyone is answered.

The tree, below ``$DLR_DATA``; folders are 0700, files 0600::

    landing/
      yunpian/                                            one provider, the root
        .id                                               tells it from any folder in its place
        2026-11-23/                                       day of the files, UTC
          20261123T061500.123456Z-9f86d081884c7d65.jsonl  one envelope a line, one line a push
        .partial/                                         being written; no reader looks here
          20261123T061500.223456Z-9f86d081884c7d65.jsonl.partial
      .aside/                                             left half-written by a killed process

A file is complete when it is visible and never changes. Its name is the moment its group
was closed and the process that wrote it, so names sort by time and never meet.
"""

import asyncio
import contextlib
import errno
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contract.envelope import Envelope
from ingest.folder import LandingFolder

IN_FLIGHT_LIMIT_BYTES = 64 * 1024**2
IN_FLIGHT_LIMIT_PUSHES = 10_000
"""What a push takes beside its body is some 500 bytes; of tiny bodies it is nearly all."""
CLOSE_TIMEOUT_S = 10.0
LOOK_INTERVAL_S = 5.0
"""How often an idle writer looks how much room is left."""

CLOCK_STEP_US = 1_000_000
"""A clock that falls behind by more was set back, and is followed."""
HEAD_BYTES = 1024
"""What a line holds beside the body, unless escaping makes the body longer."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LandingError(Exception):
    """A push could not be landed; nothing is promised about it."""


class DiskFullError(LandingError):
    """There is no room, or less than the floor."""


class WriteFailedError(LandingError):
    """The folder is gone, or writing, syncing or renaming failed."""


class ClosedError(LandingError):
    """The landing is closed."""


class TooMuchInFlightError(LandingError):
    """What is being received and written has reached its bound."""


@dataclass(frozen=True, slots=True)
class Group:
    """What became of the pushes that were written together."""

    pushes: int
    size_bytes: int
    seconds: float
    """From opening the file to the last sync."""
    error: LandingError | None


@dataclass(slots=True)
class _Waiting:
    """A push, or with no line a probe, and who waits for it."""

    done: asyncio.Future[None]
    line: bytes = b""
    size_bytes: int = 0
    """Of the body, as it is held: escaping can make it six times as long."""


class Hold:
    """Bytes of one request while it is being read."""

    def __init__(self, landing: "Landing") -> None:
        self._landing = landing
        self.size_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Count bytes as received; raises TooMuchInFlightError."""
        landing = self._landing
        is_full = landing.pushes_in_flight >= IN_FLIGHT_LIMIT_PUSHES
        if is_full or landing.bytes_in_flight + size_bytes > landing.in_flight_limit_bytes:
            raise TooMuchInFlightError
        landing.bytes_in_flight += size_bytes
        self.size_bytes += size_bytes


class Landing:
    """Group commit into one folder: what waits when the writer wakes goes into one file.

    Between ``open`` and ``close`` everything belongs to one event loop; a thread of its
    own does the writing.
    """

    def __init__(
        self, folder: LandingFolder, *, in_flight_limit_bytes: int = IN_FLIGHT_LIMIT_BYTES
    ) -> None:
        self.folder = folder
        self.in_flight_limit_bytes = in_flight_limit_bytes
        self.bytes_in_flight = 0
        """Bodies being received or written, in bytes."""
        self.pushes_in_flight = 0
        """Pushes that wait to be written or are being written."""
        self.accepting = True
        """False once no new requests are taken; what is under way still lands."""
        self.free_bytes = 0
        """Room on the disk, as the writer saw it last: asking may hang as writing may."""
        self._listeners: list[Callable[[Group], None]] = []
        self._wake = threading.Condition()
        self._queue: list[_Waiting] = []
        self._closing = False
        self._last_us = 0
        self._writer = threading.Thread(target=self._run, name="landing", daemon=True)

    def open(self) -> list[Path]:
        """Open the folder and start writing; return the files that were swept aside.

        Raises OSError where the folder cannot be written to.
        """
        swept = self.folder.open()
        self.free_bytes = self.folder.free_bytes()
        self._writer.start()
        return swept

    def close(self) -> bool:
        """Write what waits and stop; False where the disk did not let go in time."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._writer.join(CLOSE_TIMEOUT_S)
        return not self._writer.is_alive()

    def listen(self, listener: Callable[[Group], None]) -> None:
        """Have ``listener`` called after each group, in the event loop."""
        self._listeners.append(listener)

    @contextlib.contextmanager
    def receiving(self) -> Iterator[Hold]:
        """Count the bytes of a request against the bound while it is being read."""
        hold = Hold(self)
        try:
            yield hold
        finally:
            self.bytes_in_flight -= hold.size_bytes

    def submit(
        self, body: bytes, remote_addr: str, content_type: str
    ) -> tuple[str, asyncio.Future[None]]:
        """Queue a push; return its ``push_id`` and what is done once it is durable.

        The future raises LandingError where that failed. Raises ClosedError, and
        TooMuchInFlightError where the body becomes too long by being escaped.
        """
        with self._wake:
            moment_us = self._next_moment_us()
            push_id = f"{moment_us:014x}-{self.folder.process}"
            envelope = Envelope(push_id, _moment(moment_us), remote_addr, content_type, body)
            # Here, not by the writer: the two would take the interpreter's lock from each other
            # with every line, for the digest of a body lets go of it.
            line = envelope.to_line()
            held_bytes = len(body) + max(0, len(line) - len(body) - HEAD_BYTES)
            if self.bytes_in_flight + held_bytes - len(body) > self.in_flight_limit_bytes:
                raise TooMuchInFlightError
            done = self._enqueue(line, held_bytes)
        self.bytes_in_flight += held_bytes
        self.pushes_in_flight += 1
        return push_id, done

    def probe(self) -> asyncio.Future[None]:
        """Queue a trial write; return what is done once it is synced. Raises ClosedError.

        The future raises LandingError where writing failed.
        """
        with self._wake:
            return self._enqueue()

    def _enqueue(self, line: bytes = b"", size_bytes: int = 0) -> asyncio.Future[None]:
        if self._closing:
            raise ClosedError
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(done, line, size_bytes))
        self._wake.notify()
        return done

    def _next_moment_us(self) -> int:
        """Return the time in microseconds of the epoch, different from any returned before.

        It is later, too, unless the clock was set back: then it follows the clock, under another
        name of this process, because a name may be taken in the time that comes again.
        """
        now_us = time.time_ns() // 1000
        if now_us < self._last_us - CLOCK_STEP_US:
            self.folder.renew()
            self._last_us = now_us
        else:
            self._last_us = max(now_us, self._last_us + 1)
        return self._last_us

    def _run(self) -> None:
        while self._land_next():
            pass

    def _land_next(self) -> bool:
        """Wait for pushes and land them as one group; False once closed and empty."""
        with self._wake:
            self._wake.wait_for(lambda: self._queue or self._closing, LOOK_INTERVAL_S)
            waiting, self._queue = self._queue, []
            is_over = self._closing and not waiting
            # Taken under the lock: a file is younger than its pushes and older than the rest.
            moment = _moment(self._next_moment_us())
        if waiting:
            group = self._commit(moment, waiting)
            # A loop that ended before its answers has nobody left to hear them.
            with contextlib.suppress(RuntimeError):
                loop = waiting[0].done.get_loop()
                loop.call_soon_threadsafe(self._answer, waiting, group)
        self.free_bytes = self.folder.free_bytes()
        return not is_over

    def _commit(self, moment: datetime, waiting: list[_Waiting]) -> Group:
        lines = [each.line for each in waiting if each.line]
        started = time.perf_counter()
        error = self._write(moment, lines)
        seconds = time.perf_counter() - started
        return Group(len(lines), sum(each.size_bytes for each in waiting), seconds, error)

    def _write(self, moment: datetime, lines: list[bytes]) -> LandingError | None:
        try:
            if lines:
                self.folder.write(moment, lines)
            else:
                self.folder.probe()
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            kind = DiskFullError if full else WriteFailedError
            return kind(error.strerror or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a dead writer would be a silent outage
            return WriteFailedError(type(error).__name__)
        return None

    def _answer(self, waiting: list[_Waiting], group: Group) -> None:
        """Wake who waits, and who listens; runs in the event loop."""
        self.pushes_in_flight -= group.pushes
        for each in waiting:
            self.bytes_in_flight -= each.size_bytes
            if each.done.done():
                continue
            if group.error:
                each.done.set_exception(group.error)
            else:
                each.done.set_result(None)
        for listener in self._listeners:
            listener(group)


def _moment(moment_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment_us)
