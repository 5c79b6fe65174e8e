"""Alerts of a data folder: what is present, what was said, what is still to be said.

$DLR_DATA/service/
  problems.json        every present problem
  alerts/state.json    open episodes; queued alerts of each target, by a digest of its secret
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from contract.problems import Problem, read_json, service_folder, write_json, write_problems
from contract.settings import Settings
from pipelines.service.alerts.delivery import Delivery
from pipelines.service.alerts.episodes import Episodes, Patience
from pipelines.service.alerts.message import Message, secrets_of, without_secrets
from pipelines.service.alerts.target import DeliveryError, Target, id_of
from pipelines.service.alerts.targets import targets_of

_FAILING = 3
"""Failed tries in a row after which `alerts_failing` is a problem."""


class Pace(NamedTuple):
    """Times of alerts; tests scale them down."""

    patience: Patience = Patience()
    first_backoff: timedelta = timedelta(seconds=5)
    pause_s: float = 1.0
    """Between looks at the queue."""


class Alerts:
    """Hears of problems and tells the targets; restarts repeat nothing.

    ``log`` gets a line where a target fails for the first time, and where it works again.
    """

    def __init__(
        self, settings: Settings, log: Callable[[str], object], pace: Pace | None = None
    ) -> None:
        self._folder = service_folder(settings.data)
        self._state_file = self._folder / "alerts" / "state.json"
        self._secrets = secrets_of(settings)
        self._log = log
        self._pace = pace or Pace()
        self._targets = {id_of(target): target for target in targets_of(settings)}
        self._deliveries = {key: Delivery(self._pace.first_backoff) for key in self._targets}
        self._episodes = Episodes()
        self._saved: object = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._restore()

    def report(
        self,
        problems: Iterable[Problem],
        at: datetime | None = None,
        unjudged: Iterable[str] = (),
    ) -> list[Problem]:
        """Take in the problems of one look; returns those present, and since when.

        Nothing was found out about ``unjudged`` names. ``problems.json`` is replaced; an OSError
        of that is logged, because a full disk must not keep an alert from being sent.
        """
        at = at or datetime.now(UTC)
        clean = [
            replace(problem, sentence=without_secrets(problem.sentence, self._secrets))
            for problem in [*problems, *self._own_problems()]
        ]
        with self._lock:
            alerts = self._episodes.see(clean, at, self._pace.patience, unjudged)
            heard = [alert for alert in alerts if alert.name != "alerts_failing"]
            for delivery in self._deliveries.values():
                delivery.add(heard)
            present = self._episodes.present()
            self._save()
        try:
            write_problems(self._folder, at, present)
        except OSError as error:
            self._log(f"Cannot write {self._folder / 'problems.json'}: {error.strerror}.")
        return present

    def deliver(self) -> None:
        """Try once each target that has something to hear and may be tried."""
        for key, target in self._targets.items():
            with self._lock:
                message = self._deliveries[key].due(datetime.now(UTC))
            if message:
                self._send(key, target, message)

    def start(self) -> None:
        """Deliver in a thread, until ``stop``."""
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
        self._thread.start()

    def stop(self, patience_s: float = 5.0) -> None:
        """End the thread; what is not delivered by then stays queued on disk."""
        self._stopped.set()
        if self._thread:
            self._thread.join(patience_s)

    def _work(self) -> None:
        while True:
            self.deliver()
            if self._stopped.wait(self._pace.pause_s):
                return

    def _send(self, key: str, target: Target, message: Message) -> None:
        delivery = self._deliveries[key]
        try:
            target.send(message)
        except DeliveryError as error:
            with self._lock:
                delivery.failed(datetime.now(UTC))
                self._save()
            if delivery.failures == 1:
                sentence = f"Alert not delivered, {target.name}: {error}; it will be tried again."
                self._log(without_secrets(sentence, self._secrets))
            return
        with self._lock:
            failures = delivery.failures
            delivery.delivered(message)
            self._save()
        if failures:
            self._log(f"Alerts are delivered again, {target.name}.")

    def _own_problems(self) -> list[Problem]:
        failing = [
            target.name
            for key, target in self._targets.items()
            if self._deliveries[key].failures >= _FAILING
        ]
        if not failing:
            return []
        return [
            Problem(
                "alerts_failing",
                f"Alerts do not get through: {', '.join(failing)}. They are queued; "
                "`dlr alerts test` says what happens.",
            )
        ]

    def _restore(self) -> None:
        content = read_json(self._state_file)
        try:
            self._episodes = Episodes.from_json(content["episodes"])
            for key in self._deliveries.keys() & content["targets"].keys():
                self._deliveries[key].restore(content["targets"][key])
        except (KeyError, TypeError, ValueError, AttributeError):
            if content:
                self._log(f"{self._state_file} cannot be read; alerts may be repeated.")

    def _save(self) -> None:
        """Write what changed; where the disk is full, again at the next change."""
        state = {
            "episodes": self._episodes.to_json(),
            "targets": {key: delivery.to_json() for key, delivery in self._deliveries.items()},
        }
        if state == self._saved:
            return
        try:
            write_json(self._state_file, state)
            self._saved = state
        except OSError as error:
            self._log(f"Cannot write {self._state_file}: {error.strerror}.")
