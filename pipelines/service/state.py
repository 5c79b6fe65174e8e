"""Every present problem of a data folder, as `dlr status` shows them; asks no process."""

from collections.abc import Iterable

from contract.problems import PIPELINE_FILE, Problem, read_problems, service_folder
from contract.settings import Settings
from pipelines.service.facts import OF_DISK, OF_PIPELINE, room_problems
from pipelines.service.gather import room_of
from pipelines.service.up_state import trouble_of_up


def present_problems(settings: Settings, of_pipeline: Iterable[Problem]) -> list[Problem]:
    """What was found just now, and beside it what the last look of the service found.

    ``of_pipeline`` is fresh (``pipelines.runs.status``). Problems of parts are left out if `dlr
    up` is not meant to run; failed checks and runs are known only from when they were seen.
    """
    folder = service_folder(settings.data)
    trouble = trouble_of_up(settings)
    seen = read_problems(folder)
    checked = read_problems(folder, PIPELINE_FILE)
    fresh = OF_PIPELINE | OF_DISK | {"up_killed"}
    return [
        *of_pipeline,
        *(each for each in (checked.problems if checked else ()) if each.name == "check_failed"),
        *room_problems(room_of(settings.landing)),
        *([Problem("up_killed", trouble)] if trouble else []),
        *(each for each in (seen.problems if seen else ()) if each.name not in fresh),
    ]
