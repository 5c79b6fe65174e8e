"""`pipelines.runs.recover` as a process: at the start of the service, and after each accident.

$DLR_DATA/service/recovery.log    what it says; said again by the supervisor when it has ended
"""

import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from pipelines.service.child import Say, signal_group, start
from pipelines.service.times import Times

READY = "ready"
"""Its first line: Dagster's tables exist."""


class Recovery:
    """At most one such process; asked for again meanwhile, it follows. After a failure it waits."""

    def __init__(self, folder: Path, say: Say, times: Times) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.is_ready = False
        """Whether others may open Dagster's tables. Two processes that make them at the same time
        leave them broken for good."""
        self._log = folder / "recovery.log"
        self._say = say
        self._times = times
        self._is_asked = False
        self._due = 0.0
        self._started = 0.0

    def ask(self) -> None:
        """Have it run as soon as it may."""
        self._is_asked = True

    def tend(self, code_server_since: float) -> None:
        """Start it if asked for; repeat what it said once it has ended.

        ``code_server_since`` is Unix time.
        """
        now = time.monotonic()
        # once its run has begun, that is ended before
        if self.process and now - self._started > self._times.run_s + self._times.start_s:
            self.stop(signal.SIGKILL)
        if self.process and self.process.poll() is not None:
            if self.process.returncode == 0:
                self._due = now
            self.process = None
            self.is_ready = True  # as far as it got; nobody else is making the tables
            self._repeat()
        if self.process and not self.is_ready:
            self.is_ready = READY in self._lines()
        if self._is_asked and self.process is None and now >= self._due:
            self._started = now
            self._due = now + self._times.recovery_s
            with suppress(OSError):
                self._log.write_bytes(b"")
                words = ["pipelines.runs.recover", str(code_server_since)]
                self.process = start(words, self._log)
                self._is_asked = False

    def stop(self, number: int) -> None:
        """Send a signal to it, if it runs."""
        if self.process:
            signal_group(self.process.pid, number)

    def _repeat(self) -> None:
        for line in self._lines():
            if line != READY:
                self._say(line)

    def _lines(self) -> list[str]:
        try:
            return self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
