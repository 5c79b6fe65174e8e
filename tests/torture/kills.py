"""SIGKILL at any moment under load, restart on the same folder, compare."""

import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.live import push, running_receiver
from tests.torture.books import Books, Partials, is_whole, left_behind
from tests.torture.load import PROXIES, Answers, Push, load

LONGEST_LOAD_S = 0.5
DIES_WHILE_STARTING = """
import os, signal, threading, ingest.server
threading.Timer({after_s}, os.kill, (os.getpid(), signal.SIGKILL)).start()
"""
"""The clock starts once all is imported: folders, sweeping and the first write are what counts."""

HAS_A_SLOW_DISK = """
import os, time
fsync = os.fsync
def slow_fsync(descriptor):
    time.sleep(0.02)
    fsync(descriptor)
os.fsync = slow_fsync
"""
"""Always in the midst of a write, whenever another one starts and sweeps."""

WRITES_THE_LAST_BYTE_LATE = """
import os, time
writev = os.writev
def slow_writev(descriptor, parts):
    content = b"".join(parts)
    if len(content) < 2:
        return writev(descriptor, parts)
    written = os.write(descriptor, content[:-1])
    time.sleep(0.02)
    return written
os.writev = slow_writev
"""
"""A kill often leaves a torn file, even if the machine is too busy to write much."""


@dataclass
class Kills:
    """Kills of receivers on one folder, and what came of them."""

    data: Path
    chance: random.Random
    living: str = ""
    """Process id, as in names of files, of a receiver that is not killed."""
    kills: int = 0
    kills_of_a_start: int = 0
    kills_with_partials: int = 0
    """Those that left a file in ``.partial``."""
    kills_with_torn_partials: int = 0
    """Those that left one that was not written to its end."""
    books: Books = field(init=False)
    _left: Partials = field(default_factory=dict)
    _acknowledged: dict[str, Push] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.books = Books(self.data)

    def round(self, prelude: str = "") -> None:
        """Start, compare with what the last kill left, push, kill."""
        with running_receiver(self.data, prelude=prelude, DLR_TRUSTED_PROXIES=PROXIES) as live:
            self._compare()
            with load(live, self.chance.getrandbits(32)) as answers:
                wait_for_first(answers)
                time.sleep(self.chance.uniform(0, LONGEST_LOAD_S))
                live.process.kill()
                live.process.wait()
        self._acknowledged = answers.acknowledged
        self._note_kill()
        if self.chance.random() < 0.25:
            self._kill_a_start()

    def finish(self) -> None:
        """Start once more, compare, and read every file again."""
        with running_receiver(self.data, DLR_TRUSTED_PROXIES=PROXIES):
            self._compare()
        self.books.audit_from_scratch()

    def _compare(self) -> None:
        self.books.check_swept(self._left)
        self.books.audit(self._acknowledged)

    def _note_kill(self) -> None:
        self._left = left_behind(self.data, self.living)
        self.kills += 1
        self.kills_with_partials += bool(self._left)
        self.kills_with_torn_partials += not all(is_whole(left) for left in self._left.values())

    def _kill_a_start(self) -> None:
        prelude = DIES_WHILE_STARTING.format(after_s=self.chance.uniform(0, 0.05))
        # Whether it still says where it listens is left to chance.
        with (
            contextlib.suppress(AssertionError),
            running_receiver(self.data, prelude=prelude, DLR_TRUSTED_PROXIES=PROXIES) as live,
        ):
            live.process.wait()
        self.kills_of_a_start += 1
        self._left |= left_behind(self.data, self.living)


@contextlib.contextmanager
def survivor(data: Path, seed: int, books: Books) -> Iterator[str]:
    """Run a receiver that lives, under a light load; yield its process id.

    What others die of is none of its business: it answers, its files stay, and at the end the
    ``books`` say so. Refusing is allowed: who starts may look at a file before it is locked.
    """
    with running_receiver(data, prelude=HAS_A_SLOW_DISK, DLR_TRUSTED_PROXIES=PROXIES) as live:
        first = push(live, b"sms_status=first")
        process = first.headers["x-request-id"].partition("-")[2]
        with load(live, seed, connections=2, pause_s=0.01) as answers:
            yield process
    books.audit(answers.acknowledged)
    if answers.closed or answers.odd:
        books.strange.append(f"the survivor closed {answers.closed}, answered {answers.odd}")
    for file in (data / "landing" / ".aside").glob(f"*{process}*"):
        # Between making a file and locking it there is an instant; nothing is in it by then.
        if file.stat().st_size:
            books.strange.append(f"taken from the living: {file.name}")


def wait_for_first(answers: Answers, timeout_s: float = 10) -> None:
    """Wait until a push is acknowledged."""
    end = time.monotonic() + timeout_s
    while not answers.acknowledged:
        assert time.monotonic() < end, f"nothing acknowledged: {answers}"
        time.sleep(0.001)
