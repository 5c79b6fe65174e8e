"""Problems: what may need action, under names that status, metrics, alerts and runbook share.

    $DLR_DATA/service/
      up.json         `dlr up` is meant to run: written at its start, removed at a clean stop
      pipeline.json   problems that the pipeline itself knows of
      problems.json   every present problem, and since when

Files are replaced by rename. Whoever reads them survives their absence, and garbage.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

UP_FILE = "up.json"
PIPELINE_FILE = "pipeline.json"
PROBLEMS_FILE = "problems.json"


class Kind(NamedTuple):
    """What a name stands for."""

    meaning: str
    """One line."""
    critical: bool = False
    """Whether reports may be lost; otherwise figures are late, or somebody must decide."""
    of_parts: bool = False
    """Whether it only makes sense while `dlr up` is meant to run."""


KINDS: Mapping[str, Kind] = {
    "receiver_down": Kind("The receiver does not answer.", critical=True, of_parts=True),
    "receiver_unready": Kind("The receiver refuses pushes.", critical=True, of_parts=True),
    "data_loss_horizon": Kind(
        "Pushes have failed for over a minute; after 10 minutes reports are lost.",
        critical=True,
        of_parts=True,
    ),
    "up_killed": Kind(
        "`dlr up` ended without being asked to, or hangs.", critical=True, of_parts=True
    ),
    "disk_bytes": Kind("The landing disk is almost full.", critical=True),
    "disk_inodes": Kind("The landing disk has almost no inodes left.", critical=True),
    "no_pushes": Kind("No push has come for longer than usual.", critical=True),
    "code_server_down": Kind("Dagster's code server does not answer.", of_parts=True),
    "daemon_down": Kind("Dagster's daemon, which starts runs, is not running.", of_parts=True),
    "ui_down": Kind("The Dagster UI does not answer.", of_parts=True),
    "sensor_off": Kind("The sensor that starts runs is switched off.", of_parts=True),
    "schedule_off": Kind("A schedule is switched off.", of_parts=True),
    "no_tick": Kind("The sensor is on but has not looked for minutes.", of_parts=True),
    "runs_failing": Kind("Several runs in a row have failed."),
    "run_too_long": Kind("A run takes longer than DLR_MAX_RUN_S."),
    "check_failed": Kind("A blocking check failed, so nothing is published."),
    "ledger_unbalanced": Kind("The ledger does not balance, so nothing is published."),
    "quarantined_files": Kind("Files were quarantined because they cannot be taken as they are."),
    "landed_files_waiting": Kind("Landed files have waited over an hour for a run."),
    "publication_stale": Kind("What readers see is older than its input."),
    "manifest_unreadable": Kind("exports/manifest.json cannot be read."),
    "report_failed": Kind("The report could not be rendered; readers have an older one, or none."),
    "alerts_failing": Kind("Alerts do not reach one of their targets."),
    "outdated_tables": Kind("Tables were computed by other SQL, settings or reference data."),
    "outdated_decoding": Kind("Landed files were decoded by rules that have changed."),
}
"""Every known name; `docs/operations/alerts.md` says of each what to check and how to cure it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One present problem."""

    name: str
    """One of KINDS."""
    sentence: str
    """What is wrong, where, and what to do; without secrets and phone numbers."""
    since: datetime | None = None
    """When it was first seen, where that is known."""


class Present(NamedTuple):
    """The problems of one file, as of a time."""

    at: datetime
    problems: tuple[Problem, ...]


def service_folder(data: Path) -> Path:
    """Where the files above lie in a data folder."""
    return data.absolute() / "service"


def is_up_expected(folder: Path) -> bool:
    """Whether `dlr up` is meant to run, alive or not."""
    return (folder / UP_FILE).exists()


def read_problems(folder: Path, file: str = PROBLEMS_FILE) -> Present | None:
    """Read ``problems.json`` or ``pipeline.json``; None where there is none that can be read.

    Problems of parts are left out if nobody expects the parts to run, and so are unknown names.
    """
    content = read_json(folder / file)
    try:
        at = _time(content["at"])
        problems = [_problem(each) for each in content["problems"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    expected = is_up_expected(folder)
    known = (each for each in problems if each.name in KINDS)
    return Present(at, tuple(each for each in known if expected or not KINDS[each.name].of_parts))


def write_problems(
    folder: Path,
    at: datetime,
    problems: Iterable[Problem],
    file: str = PROBLEMS_FILE,
    more: Mapping[str, object] | None = None,
) -> None:
    """Replace ``problems.json`` or ``pipeline.json``; raises OSError.

    ``more`` is what its writer wants to find there again.
    """
    rows = [
        {"name": each.name, "sentence": each.sentence}
        | ({"since": each.since.isoformat()} if each.since else {})
        for each in problems
    ]
    write_json(folder / file, {"at": at.isoformat(), "problems": rows} | dict(more or {}))


def read_json(path: Path) -> dict[str, Any]:
    """The object in one of these files, an empty one where there is none to read."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: object) -> None:
    """Replace a file in one step, readable by its owner only; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    descriptor, new = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(new).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(new).unlink()
        raise


def _problem(row: Mapping[str, Any]) -> Problem:
    since = row.get("since")
    return Problem(str(row["name"]), str(row["sentence"]), _time(since) if since else None)


def _time(text: str) -> datetime:
    """An aware time; a naive one is taken for UTC."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
