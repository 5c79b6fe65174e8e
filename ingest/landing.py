"""Landing: pushes become durable files, many pushes to a file, before they are answered.

The tree, below ``$DLR_DATA``; folders are 0700, files 0600::

    landing/
      yunpian/                                            one provider, the root
        .id                                               identifies the root; made once
        2026-11-23/                                       day of the files, UTC
          20261123T061500.123456Z-9f86d081884c7d65.jsonl  one envelope a line, one line a push
        .partial/                                         being written; no reader looks here
          20261123T061500.223456Z-9f86d081884c7d65.jsonl.partial
      .aside/                                             half-written by a killed process

A file is complete when it is visible and never changes. Its name is the time its group was
closed and the process that wrote it, so names sort by time and never collide.
"""

import asyncio
import contextlib
import errno
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from contract.envelope import Envelope
from ingest.clock import Clock, moment_of
from ingest.folder import LandingFolder
from ingest.rejects import (
    ClosedError,
    DiskFullError,
    LandingError,
    TooMuchInFlightError,
    WriteFailedError,
)

IN_FLIGHT_LIMIT_BYTES = 64 * 1024**2
IN_FLIGHT_LIMIT_PUSHES = 10_000
"""A push takes some 500 bytes besides its body, which for tiny bodies is nearly everything."""
CLOSE_TIMEOUT_S = 10.0
IDLE_INTERVAL_S = 5.0
"""How often an idle writer measures the free space."""

ENVELOPE_BYTES = 1024
"""What a line may hold besides the body without counting as held."""


@dataclass(frozen=True, slots=True)
class Group:
    """Outcome of the pushes that were written together."""

    pushes: int
    size_bytes: int
    seconds: float
    """From opening the file to the last sync."""
    error: LandingError | None


@dataclass(slots=True)
class _Waiting:
    """A push (without a line: a probe), and the future of who waits for it."""

    done: asyncio.Future[None]
    line: bytes = b""
    size_bytes: int = 0
    """Of the body."""
    held_bytes: int = 0
    """Of the body once escaped, which can make it six times as long."""


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
    """Group commit into one folder: all pushes waiting when the writer wakes go into one file.

    Between ``open`` and ``close`` everything belongs to one event loop; a separate thread writes.
    """

    def __init__(
        self, folder: LandingFolder, *, in_flight_limit_bytes: int = IN_FLIGHT_LIMIT_BYTES
    ) -> None:
        self.folder = folder
        self.in_flight_limit_bytes = in_flight_limit_bytes
        self.bytes_in_flight = 0
        """Bodies being received, or written in escaped form, in bytes."""
        self.pushes_in_flight = 0
        """Pushes that wait to be written or are being written."""
        self.accepting = True
        """False once no new requests are accepted; those in progress still land."""
        self.free_bytes = 0
        """Free space as the writer last measured it: measuring may hang, just as writing may."""
        self._listeners: list[Callable[[Group], None]] = []
        self._wake = threading.Condition()
        self._queue: list[_Waiting] = []
        self._closing = False
        self._clock = Clock(folder.renew)
        self._writer = threading.Thread(target=self._write_groups, name="landing", daemon=True)

    def open(self) -> list[Path]:
        """Open the folder and start writing; return the files that were swept aside.

        Raises OSError where the folder cannot be written to.
        """
        swept = self.folder.open()
        self.free_bytes = self.folder.free_bytes()
        self._writer.start()
        return swept

    def close(self) -> bool:
        """Write what waits and stop; False if the disk did not respond in time."""
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
        """Count the bytes of a request against the limit while it is being read."""
        hold = Hold(self)
        try:
            yield hold
        finally:
            self.bytes_in_flight -= hold.size_bytes

    def submit(
        self, body: bytes, remote_addr: str, content_type: str
    ) -> tuple[str, asyncio.Future[None]]:
        """Queue a push; return its ``push_id`` and a future that is done once it is durable.

        The future raises LandingError where that failed. Raises ClosedError, and
        TooMuchInFlightError if the escaped body is too much.
        """
        with self._wake:
            moment_us = self._clock.next_us()
            push_id = f"{moment_us:014x}-{self.folder.process}"
            envelope = Envelope(push_id, moment_of(moment_us), remote_addr, content_type, body)
            # Here, not in the writer: because hashing releases the interpreter's lock, the two
            # threads would take it from each other with every line.
            line = envelope.to_line()
            held_bytes = max(len(body), len(line) - ENVELOPE_BYTES)
            # The body itself is still counted by its ``Hold``.
            if self.bytes_in_flight + held_bytes - len(body) > self.in_flight_limit_bytes:
                raise TooMuchInFlightError
            done = self._enqueue(line, len(body), held_bytes)
        self.bytes_in_flight += held_bytes
        self.pushes_in_flight += 1
        return push_id, done

    def probe(self) -> asyncio.Future[None]:
        """Queue a trial write; the future is done once it is synced, or raises LandingError.

        Raises ClosedError.
        """
        with self._wake:
            return self._enqueue()

    def _enqueue(
        self, line: bytes = b"", size_bytes: int = 0, held_bytes: int = 0
    ) -> asyncio.Future[None]:
        if self._closing:
            raise ClosedError
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(done, line, size_bytes, held_bytes))
        self._wake.notify()
        return done

    def _write_groups(self) -> None:
        while self._land_next():
            pass

    def _land_next(self) -> bool:
        """Wait for pushes and land them as one group; False once closed and empty."""
        with self._wake:
            self._wake.wait_for(lambda: self._queue or self._closing, IDLE_INTERVAL_S)
            waiting, self._queue = self._queue, []
            is_over = self._closing and not waiting
            # Under the lock, so that a file's time lies after its pushes and before all later ones.
            moment = moment_of(self._clock.next_us())
        if waiting:
            group = self._commit(moment, waiting)
            # Nobody waits for the answers of a loop that has ended.
            with contextlib.suppress(RuntimeError):
                loop = waiting[0].done.get_loop()
                loop.call_soon_threadsafe(self._answer, waiting, group)
        self.free_bytes = self.folder.free_bytes()
        return not is_over

    def _commit(self, moment: datetime, waiting: list[_Waiting]) -> Group:
        lines = [push.line for push in waiting if push.line]
        started = time.perf_counter()
        error = self._write(moment, lines)
        seconds = time.perf_counter() - started
        return Group(len(lines), sum(push.size_bytes for push in waiting), seconds, error)

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
        """Resolve the futures, call the listeners; runs in the event loop."""
        self.pushes_in_flight -= group.pushes
        for push in waiting:
            self.bytes_in_flight -= push.held_bytes
            if push.done.done():
                continue
            if group.error:
                push.done.set_exception(group.error)
            else:
                push.done.set_result(None)
        for listener in self._listeners:
            listener(group)
