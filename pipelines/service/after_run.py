"""What `dlr run` does at its end where no `dlr up` does so: it looks, and tells the targets."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from contract.problems import PIPELINE_FILE, read_problems, service_folder
from contract.settings import Settings
from pipelines.service.alerts import AT_ONCE, Alerts, Pace
from pipelines.service.facts import Limits, problems_of, unjudged
from pipelines.service.gather import room_of
from pipelines.service.look import Look, Run
from pipelines.service.up_state import trouble_of_up


def report_after_run(settings: Settings, runs: Iterable[Run], log: Callable[[str], object]) -> None:
    """Write ``problems.json`` and deliver alerts, each target tried once.

    ``runs`` are the newest ones, the newest first. ``log`` gets a line where a target does not
    take its alert, which stays queued for the next run.
    """
    look = Look(
        at=datetime.now(UTC),
        runs=tuple(runs),
        landing_room=room_of(settings.landing),
        pipeline=read_problems(service_folder(settings.data), PIPELINE_FILE),
        killed_up=trouble_of_up(settings),
    )
    alerts = Alerts(settings, log, Pace(AT_ONCE))
    alerts.report(problems_of(look, Limits.of(settings)), look.at, unjudged(look))
    alerts.deliver()
