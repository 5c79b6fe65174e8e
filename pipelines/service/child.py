"""One process under `dlr up`: started, started again when it ends, killed when it hangs."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

from pipelines.service.look import Part
from pipelines.service.times import Times

Say = Callable[[str], None]


def start(words: Sequence[str], log: Path | None = None) -> "subprocess.Popen[bytes]":
    """Run a module with its words, in a session of its own, so that Ctrl-C reaches only us.

    Its output goes to the end of ``log``, or where ours goes. Raises OSError.
    """
    with log.open("ab") if log else nullcontext() as output:
        return subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "pipelines.service.tied", str(os.getpid()), *words],
            start_new_session=True,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )


def signal_group(leader: int, number: int) -> None:
    """Send a signal to a process and to those it started, if any of them are left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


class Child:
    """A part of the service. `tend` belongs to one thread; a thread of its own probes.

    A vital one is started again at once if it has answered since its last start, however often.
    """

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        say: Say,
        times: Times,
        *,
        probe: Callable[[], bool] | None = None,
        probe_s: float | None = None,
        is_vital: bool = False,
        log: Path | None = None,
    ) -> None:
        self.name = name
        self.words = words
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        """When it was started last (``monotonic``)."""
        self.is_wanted = True
        """False once it is to stop."""
        self.restarts = 0
        self.part = Part(answers=False, since=datetime.now(UTC), has_answered=False)
        self._say = say
        self._times = times
        self._probe = probe
        self._is_vital = is_vital
        self._probe_s = probe_s or times.probe_s
        self._log = log
        self._misses = 0
        self._delay_s = 0.0
        self._due = 0.0
        if probe:
            threading.Thread(target=self._keep_probing, name=f"probe-{name}", daemon=True).start()

    @property
    def title(self) -> str:
        """Its name in a sentence."""
        return self.name.replace("_", " ")

    def tend(self) -> bool:
        """Note its end, start it when due, kill it if it hangs; tell whether it was started."""
        now = time.monotonic()
        if self.process and self.process.poll() is not None:
            self._note_end(now, self.process)
        if self.process is None:
            return self.is_wanted and now >= self._due and self._start(now)
        silent = self._misses >= self._times.misses
        if self._probe and not self.part.answers and now - self.started > self._times.start_s:
            silent = True
        if silent:
            self.kill("does not answer")
        return False

    def kill(self, why: str) -> None:
        """End it because it hangs; `tend` starts it again."""
        if self.process and self.process.poll() is None:
            self._say(f"The {self.title} {why}; it is killed.")
            signal_group(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def ask_to_stop(self, number: int) -> None:
        """Send a signal to it and to what it started; it is not started again."""
        self.is_wanted = False
        if self.process:
            signal_group(self.process.pid, number)

    def wait(self, until: float) -> None:
        """Wait for its end until then (``monotonic``); what is left is killed."""
        if self.process:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.01, until - time.monotonic()))
            signal_group(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _start(self, now: float) -> bool:
        try:
            self.process = start(self.words, self._log)
        except OSError as error:
            self._put_off(now)
            self._say(f"The {self.title} cannot be started: {error.strerror}.")
            return False
        self.started = time.monotonic()
        self._misses = 0
        if self._probe is None:
            self._note(answers=True)
        return True

    def _note_end(self, now: float, process: "subprocess.Popen[bytes]") -> None:
        signal_group(process.pid, signal.SIGKILL)  # what it started does not outlive it
        self.process = None
        has_answered = self.part.answers
        self._note(answers=False, trouble=_how(process.returncode))
        if now - self.started > self._times.stable_s or (self._is_vital and has_answered):
            self._delay_s = 0.0
        self.restarts += 1
        self._say(f"The {self.title} {_how(process.returncode)}; starting it again{self._when()}.")
        self._put_off(now)

    def _when(self) -> str:
        return f" in {self._delay_s:g} s" if self._delay_s else ""

    def _put_off(self, now: float) -> None:
        self._due = now + self._delay_s
        self._delay_s = min(self._times.longest_delay_s, max(1.0, 2 * self._delay_s))

    def _keep_probing(self) -> None:
        while self._probe:
            process = self.process
            answers = bool(process) and self._probe()
            if process is self.process and process and process.poll() is None:
                if answers:
                    self._misses = 0
                    self._note(answers=True)
                else:
                    self._misses += self.part.answers
            time.sleep(self._probe_s if self.part.answers else min(0.3, self._probe_s))

    def _note(self, *, answers: bool, trouble: str = "") -> None:
        before = self.part
        since = before.since if before.answers == answers else datetime.now(UTC)
        self.part = Part(answers, since, before.has_answered or answers, trouble)


def _how(returncode: int) -> str:
    """In words how a process ended."""
    if returncode >= 0:
        return f"ended with exit status {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"
