"""Code server, UI and daemon: kept alive, judged by what they bring about, recovered after."""

import time
from datetime import UTC, datetime
from pathlib import Path

from contract.problems import service_folder
from contract.settings import Settings
from pipelines.service import parts
from pipelines.service.child import Child, Say
from pipelines.service.look import Look
from pipelines.service.open_history import OpenHistory
from pipelines.service.recovery import Recovery
from pipelines.service.running import RunningRuns
from pipelines.service.times import Times


class Pulse:
    """Something that must change now and then, by a clock that nobody can set."""

    def __init__(self) -> None:
        self._value: object = None
        self._changed = time.monotonic()

    def rest(self) -> None:
        """Begin to wait anew: nothing was to be expected, or nothing could be seen."""
        self._changed = time.monotonic()

    def note(self, value: object) -> float:
        """Note its present value; return for how many seconds it has not changed."""
        if value != self._value:
            self._value = value
            self.rest()
        return time.monotonic() - self._changed


class Pipeline:
    """The parts that need Dagster; `tend` and `judge` belong to one thread."""

    def __init__(self, settings: Settings, home: Path, say: Say, times: Times) -> None:
        self._say = say
        self._times = times
        self.children = parts.pipeline(settings, home, say, times)
        self.recovery = Recovery(service_folder(settings.data), say, times)
        self.ticking_since: datetime | None = None
        """When the daemon was started last."""
        self._code_server_since = time.time()
        self._runs = RunningRuns(home, times.run_s)
        self.history = OpenHistory(home)
        self._ticks = Pulse()
        self._heartbeats = Pulse()
        self._log = home / "dagster.log"
        self._next_check = 0.0
        self._had_room = True
        self.recovery.ask()

    def tend(self) -> None:
        """Start and restart what is due, end what takes too long."""
        self.recovery.tend(self._code_server_since)
        if not self.recovery.is_ready:
            return
        code_server, ui, daemon = self.children.values()
        if code_server.tend():
            self._code_server_since = time.time()
            self._after_restart(code_server)
        if self._can_be_joined(code_server):
            ui.tend()
            if daemon.tend():
                self.ticking_since = datetime.now(UTC)
                self._after_restart(daemon)
        if time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + 1.0
            self._check_runs()

    def judge(self, look: Look, *, has_room: bool) -> None:
        """Restart what lives and does nothing: a daemon without heartbeats, a sensor without ticks.

        Without room on the disk neither can write that it does something. What needs to be done
        now and then is done here, too.
        """
        if has_room and not self._had_room:
            self._say("There is room on the disk again.")
            self.recovery.ask()
        self._had_room = has_room
        daemon, code_server = self.children["daemon"], self.children["code_server"]
        sees = look.heartbeat is not None and has_room and daemon.process is not None
        if not sees:
            self._heartbeats.rest()
        elif self._heartbeats.note(look.heartbeat) > self._times.pulse_s:
            daemon.kill("gives no sign of life")
        if not sees or not look.sensor_on:
            self._ticks.rest()
        elif self._ticks.note(look.tick) > self._times.pulse_s:
            self._say("The sensor does not look any more.")
            code_server.kill("may hang")
            daemon.kill("may hang")
            self._ticks.rest()
        self.history.hold()
        parts.rotate(self._log)

    def _can_be_joined(self, code_server: Child) -> bool:
        """Whether UI and daemon may start: the code server answers, or does not come to that."""
        if self.ticking_since or code_server.part.answers or code_server.restarts:
            return True
        return time.monotonic() - code_server.started > self._times.start_s / 2

    def _after_restart(self, child: Child) -> None:
        self._ticks.rest()
        self._heartbeats.rest()
        if child.restarts:
            self.recovery.ask()

    def _check_runs(self) -> None:
        ours = {child.process.pid for child in self.children.values() if child.process}
        if self.recovery.process:
            ours.add(self.recovery.process.pid)
        for run in self._runs.end_overdue(ours):
            self._say(f"Run {run[:8]} took longer than {self._times.run_s:g} s; it is ended.")
        for run in self._runs.died():
            self._say(f"The process of run {run[:8]} was killed; the next run goes on.")
            self.recovery.ask()
