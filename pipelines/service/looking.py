"""Looks every few seconds, on a thread of its own: what does not answer keeps nobody waiting."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from contract.problems import Problem
from contract.settings import Settings
from pipelines.service.alerts import Alerts, Pace, Patience
from pipelines.service.child import Say
from pipelines.service.facts import Limits, problems_of, unjudged
from pipelines.service.look import Look
from pipelines.service.minutes import Minutes
from pipelines.service.times import Times


class Looking:
    """The newest look; what it shows is said here, in ``problems.json`` and to the targets."""

    def __init__(
        self, settings: Settings, gather: Callable[[], Look], say: Say, times: Times
    ) -> None:
        self.latest: Look | None = None
        self._gather = gather
        self._say = say
        self._every_s = times.look_s
        self._limits = Limits.of(settings)
        self._minutes = Minutes(times.minute_s)
        self._problems: dict[str, Problem] = {}
        self._alerts = Alerts(settings, say, Pace(_patience(times)))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking, name="look", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._alerts.start()
        self._thread.start()

    def hush(self) -> None:
        """Look no more, and say nothing of parts that are about to stop."""
        self._over.set()

    def stop(self) -> None:
        """Let alerts that are due go out first, if their targets are quick."""
        self.hush()
        self._alerts.stop()

    def _keep_looking(self) -> None:
        while not self._over.wait(self._every_s):
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - who no longer looks would never say so
                self._say(f"A look failed ({type(error).__name__}: {error}); trying again.")

    def _look(self) -> None:
        look = self._gather()
        if self._over.is_set():
            return
        self.latest = look
        for line in self._minutes.lines(look):
            self._say(line)
        problems = problems_of(look, self._limits)
        self._tell(self._alerts.report(problems, look.at, unjudged(look)))

    def _tell(self, present: Sequence[Problem]) -> None:
        """Say which problems have begun, and which are over."""
        problems = {problem.name: problem for problem in present}
        for name in problems.keys() - self._problems.keys():
            self._say(f"Problem: {problems[name].sentence}")
        for name in self._problems.keys() - problems.keys():
            self._say(f"Over: {self._problems[name].sentence}")
        self._problems = problems


def _patience(times: Times) -> Patience:
    return Patience(timedelta(seconds=times.begin_s), timedelta(seconds=times.end_s))
