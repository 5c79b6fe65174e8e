"""What Dagster knows of itself, by one GraphQL query to its webserver."""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipelines.service.look import Run, Tick

TIMEOUT_S = 5.0
LOCATION = "pipelines.definitions"
"""Name of the code location. It must stay: switches and history are kept under it."""
_SENSOR = "landed_files_sensor"
_ON = "RUNNING"
_REPOSITORY = f'{{repositoryName: "__repository__", repositoryLocationName: "{LOCATION}"}}'
QUERY = f"""
{{
  sensorsOrError(repositorySelector: {_REPOSITORY}) {{ ... on Sensors {{
    results {{ name sensorState {{ status ticks(limit: 1) {{ status timestamp }} }} }} }} }}
  schedulesOrError(repositorySelector: {_REPOSITORY}) {{ ... on Schedules {{
    results {{ name scheduleState {{ status }} }} }} }}
  runsOrError(filter: {{pipelineName: "refresh"}}, limit: 20) {{ ... on Runs {{
    results {{ runId status startTime endTime }} }} }}
  instance {{ daemonHealth {{ allDaemonStatuses {{ lastHeartbeatTime }} }} }}
}}
"""


@dataclass(frozen=True, slots=True)
class DagsterState:
    """Sensor, schedules and runs; times are UTC."""

    sensor_on: bool | None
    """None where the code server has not been reached yet."""
    tick: Tick | None
    """The sensor's newest tick."""
    schedules: Mapping[str, bool]
    """Whether each schedule is switched on, by name."""
    runs: Sequence[Run]
    """Of the job `refresh`, the newest first."""
    heartbeat: datetime | None
    """When the daemon last gave a sign of life."""


def read_dagster_state(ui_url: str) -> DagsterState | None:
    """Ask the webserver at ``ui_url``; None where it does not answer, or not as expected."""
    request = urllib.request.Request(  # noqa: S310  our own http URL
        f"{ui_url}/graphql",
        json.dumps({"query": QUERY}).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
            return _state(json.load(response)["data"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _state(data: Mapping[str, Any]) -> DagsterState:
    sensors = data["sensorsOrError"].get("results", ())
    sensor = next((each["sensorState"] for each in sensors if each["name"] == _SENSOR), None)
    schedules = data["schedulesOrError"].get("results", ())
    statuses = data["instance"]["daemonHealth"]["allDaemonStatuses"]
    beats = [each["lastHeartbeatTime"] for each in statuses if each["lastHeartbeatTime"]]
    return DagsterState(
        sensor_on=sensor["status"] == _ON if sensor else None,
        tick=next((_tick(tick) for tick in sensor["ticks"]), None) if sensor else None,
        schedules={each["name"]: each["scheduleState"]["status"] == _ON for each in schedules},
        runs=[_run(each) for each in data["runsOrError"].get("results", ())],
        heartbeat=_time(max(beats, default=None)),
    )


def _tick(tick: Mapping[str, Any]) -> Tick:
    return Tick(datetime.fromtimestamp(tick["timestamp"], UTC), tick["status"])


def _run(run: Mapping[str, Any]) -> Run:
    return Run(run["runId"], run["status"], _time(run["startTime"]), _time(run["endTime"]))


def _time(timestamp: float | None) -> datetime | None:
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
