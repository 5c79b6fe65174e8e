"""What `dlr up` promises while its parts are killed, measured from outside."""

import contextlib
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from tests.service.live_up import PARTS, Up

VICTIMS = (*PARTS, "run")
_PAUSE_S = 0.1


@dataclass
class Trial:
    """Pushes to one service, and what became of them."""

    up: Up
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """When the receiver could not be reached (``monotonic``), and for how many seconds."""
    latencies: list[tuple[float, int]] = field(default_factory=list)
    """Seconds from an answer to the publication of what was pushed, and the kills in that time."""
    refused: list[int] = field(default_factory=list)
    """Statuses other than 200."""
    backs: dict[str, list[float]] = field(default_factory=dict)
    """Of each victim, how many seconds after its kill it was back."""
    receiver_gaps: list[float] = field(default_factory=list)
    other_gaps: list[float] = field(default_factory=list)
    """The gaps after a kill of the receiver, and all others."""
    answers: list[int] = field(default_factory=list)
    """Status of every push that was answered."""
    _kills: list[float] = field(default_factory=list)
    _waiting: dict[int, float] = field(default_factory=dict)
    """Messages acknowledged and not published yet, and when they were acknowledged."""
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator["Trial"]:
        """Push and watch the publication until the block ends."""
        threads = [threading.Thread(target=each) for each in (self._push_on, self._watch)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def kill(self, part: str, number: int = signal.SIGKILL, within_s: float = 60) -> None:
        """Kill a part, wait until it does again what it is for."""
        pid = self._victim(part)
        killed, killed_at = time.monotonic(), time.time()
        os.kill(pid, number)
        self._kills.append(killed)
        self.up.until(lambda: self._is_back(part, pid, killed_at), within_s, f"{part} again")
        self.backs.setdefault(part, []).append(time.monotonic() - killed)
        self.sort_gaps(killed if part == "receiver" else None)

    def all_published(self, within_s: float) -> None:
        """Wait until everything acknowledged so far is published."""
        waiting = set(self._waiting)
        self.up.until(lambda: not waiting & set(self._waiting), within_s, "publication")

    def _victim(self, part: str) -> int:
        if part != "run":
            self.up.until(lambda: self.up.pid(part), 60, part)
            return self.up.pid(part) or 0
        self.up.until(self.up.runs, 120, "run in progress")
        time.sleep(random.uniform(0, 3))
        self.up.until(self.up.runs, 120, "run in progress")
        return next(iter(self.up.runs().values()))

    def _is_back(self, part: str, before: int, killed_at: float) -> bool:
        if part == "run":  # nothing is to come back but the history
            return before not in self.up.runs().values()
        if self.up.pid(part) in (None, before):
            return False
        if part == "receiver":
            with contextlib.suppress(OSError):
                return self.up.get("/healthz") == 200
            return False
        state = self.up.dagster()
        if part == "daemon":
            beat = state.heartbeat if state else None
            return beat is not None and beat.timestamp() > killed_at
        socket_file = self.up.data / "service" / "code-server.sock"
        if part == "code_server":
            return state is not None and state.sensor_on is True and _accepts(socket_file)
        return state is not None

    def sort_gaps(self, receiver_killed: float | None) -> None:
        """Put the gaps since the last call where they belong."""
        time.sleep(2 * _PAUSE_S)
        gaps, self.gaps = self.gaps, []
        for at, seconds in gaps:
            of_receiver = receiver_killed is not None and at >= receiver_killed - 1
            (self.receiver_gaps if of_receiver else self.other_gaps).append(seconds)

    def _push_on(self) -> None:
        sid, failing = 1, 0.0
        while not self._over.wait(_PAUSE_S):
            began = time.monotonic()
            try:
                status = self.up.push(sid).status
            except (OSError, ConnectionError):
                failing = failing or began
                continue
            if failing:
                self.gaps.append((failing, time.monotonic() - failing))
                failing = 0.0
            self.answers.append(status)
            if status == 200:
                self._waiting[sid] = time.monotonic()
                sid += 1
            else:
                self.refused.append(status)

    def _watch(self) -> None:
        newest, seen = 0, None
        database = self.up.data / "analytics.duckdb"
        while not self._over.wait(0.5):
            with contextlib.suppress(OSError, duckdb.Error):
                state = database.stat()
                if (state.st_ino, state.st_mtime_ns) == seen:
                    continue
                with duckdb.connect(database, read_only=True) as con:
                    query = "select sid from core.sms_status where sid > ?"
                    sids = [sid for (sid,) in con.execute(query, [newest - 10_000]).fetchall()]
                seen = (state.st_ino, state.st_mtime_ns)
                for sid in sids:
                    newest = max(newest, sid)
                    if acknowledged := self._waiting.pop(sid, None):
                        kills = sum(killed > acknowledged for killed in self._kills)
                        self.latencies.append((time.monotonic() - acknowledged, kills))


def _accepts(file: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        return connection.connect_ex(str(file)) == 0


def memory_kb(up: Up) -> dict[str, int]:
    """Proportional set size of each part, of the supervisor, and of the runs in progress."""
    pids = {part: up.pid(part) for part in PARTS} | {"up": up.process.pid}
    pids |= {f"run {run[:8]}": pid for run, pid in up.runs().items()}
    return {name: _pss_kb(pid) for name, pid in pids.items() if pid}


def _pss_kb(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
