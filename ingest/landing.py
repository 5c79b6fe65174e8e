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
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from contract.envelope import Envelope
from ingest.clock import Clock, moment_of
from ingest.durable import Room
from ingest.folder import LandingFolder
from ingest.groups import Group, Waiting, land_group
from ingest.rejects import ClosedError, TooMuchInFlightError

IN_FLIGHT_LIMIT_BYTES = 64 * 1024**2
IN_FLIGHT_LIMIT_PUSHES = 10_000
"""A push takes some 500 bytes besides its body, which for tiny bodies is nearly everything."""
CLOSE_TIMEOUT_S = 10.0
IDLE_INTERVAL_S = 5.0
"""How often an idle writer measures the free space."""
FEW_INODES_LINGER_S = 1.0
"""Wait for company while the disk lacks inodes: a file a second instead of one for every push."""

ENVELOPE_BYTES = 1024
"""What a line may hold besides the body without counting as held."""


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
        self,
        folder: LandingFolder,
        *,
        in_flight_limit_bytes: int = IN_FLIGHT_LIMIT_BYTES,
        linger_s: float = 0.0,
    ) -> None:
        self.folder = folder
        self.linger_s = linger_s
        """How long the first push of a group waits for others."""
        self.in_flight_limit_bytes = in_flight_limit_bytes
        self.bytes_in_flight = 0
        """Bodies being received, or written in escaped form, in bytes."""
        self.pushes_in_flight = 0
        """Pushes that wait to be written or are being written."""
        self.accepting = True
        """False once no new requests are accepted; those in progress still land."""
        self.room = Room(0, 0, 0)
        """As the writer last measured it: measuring may hang, just as writing may."""
        self._listeners: list[Callable[[Group], None]] = []
        self._wake = threading.Condition()
        self._queue: list[Waiting] = []
        self._is_urgent = False
        """Whether somebody in the queue should not wait for company."""
        self._closing = False
        self._clock = Clock(folder.renew)
        self._writer = threading.Thread(target=self._write_groups, name="landing", daemon=True)

    def open(self) -> list[Path]:
        """Open the folder and start writing; return the files that were swept aside.

        Raises OSError where the folder cannot be written to.
        """
        swept = self.folder.open()
        self.room = self.folder.room()
        self._writer.start()
        return swept

    def close(self) -> bool:
        """Write what waits and stop; False if the disk did not respond in time."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._writer.join(CLOSE_TIMEOUT_S)
        return not self._writer.is_alive()

    def hasten(self) -> None:
        """Write what waits for company, if no more is accepted."""
        with self._wake:
            self._wake.notify()

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
            self._is_urgent = True
            return self._enqueue()

    def _enqueue(
        self, line: bytes = b"", size_bytes: int = 0, held_bytes: int = 0
    ) -> asyncio.Future[None]:
        if self._closing:
            raise ClosedError
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(Waiting(done, line, size_bytes, held_bytes))
        self._wake.notify()
        return done

    def _write_groups(self) -> None:
        while self._land_next():
            pass

    def _land_next(self) -> bool:
        """Wait for pushes and land them as one group; False once closed and empty."""
        with self._wake:
            self._wake.wait_for(lambda: self._queue or self._closing, IDLE_INTERVAL_S)
            if self._queue:
                self._await_company()
            waiting, self._queue, self._is_urgent = self._queue, [], False
            is_over = self._closing and not waiting
            # Under the lock, so that a file's time lies after its pushes and before all later ones.
            moment = moment_of(self._clock.next_us())
        if waiting:
            group = land_group(self.folder, moment, waiting)
            # Nobody waits for the answers of a loop that has ended.
            with contextlib.suppress(RuntimeError):
                loop = waiting[0].done.get_loop()
                loop.call_soon_threadsafe(self._answer, waiting, group)
        self.room = self.folder.room()
        return not is_over

    def _await_company(self) -> None:
        """Let more pushes join the group, unless they would keep others out by then."""
        linger_s = max(self.linger_s, FEW_INODES_LINGER_S * self.room.lacks_inodes)
        if linger_s:
            self._wake.wait_for(
                lambda: (
                    self._closing
                    or self._is_urgent
                    or not self.accepting
                    or 4 * self.bytes_in_flight > self.in_flight_limit_bytes
                    or 4 * self.pushes_in_flight > IN_FLIGHT_LIMIT_PUSHES
                ),
                linger_s,
            )

    def _answer(self, waiting: list[Waiting], group: Group) -> None:
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
