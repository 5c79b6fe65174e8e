"""``pipeline.json``: what only the pipeline knows, for those who do not open the warehouse.

Written by the sensor's tick and at the end of each run. While the warehouse is busy, the last
known stay.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from contract.problems import (
    PIPELINE_FILE,
    Problem,
    read_json,
    read_problems,
    service_folder,
    write_problems,
)
from contract.settings import Settings
from pipelines.runs.status import read_status

_FAILED = "failed_checks"
_CURED_BY_RUN = {"outdated_tables", "publication_stale"}
_outcomes: dict[str, bool] = {}
"""Whether each blocking check that this process ran, since it wrote the file last, has passed."""


def note_check(name: str, *, passed: bool) -> None:
    """Remember the outcome of a blocking check."""
    _outcomes[name] = passed


def record_problems(settings: Settings, *, before_run: bool = False) -> None:
    """Write what is known now; raises OSError where it cannot be written.

    ``before_run`` tells that a run may start at once: what it would cure is no news yet.
    """
    status = read_status(settings, patience_s=0)
    folder = service_folder(settings.data)
    last = read_problems(folder, PIPELINE_FILE)
    known = [each for each in last.problems if each.name != "check_failed"] if last else []
    problems = known if status.busy else _by_name(status.named_problems)
    if before_run:
        no_news = _CURED_BY_RUN - {each.name for each in known}
        problems = [each for each in problems if each.name not in no_news]
    failed = _failed_checks(folder)
    if failed:
        sentence = (
            f"Nothing is published because a check failed: {', '.join(failed)}. The run's log "
            "shows the rows; `dlr verify` finds what is wrong with them."
        )
        problems.append(Problem("check_failed", sentence))
    now = datetime.now(UTC)
    write_problems(folder, now, problems, PIPELINE_FILE, {_FAILED: failed})
    _outcomes.clear()  # the file has them


def _failed_checks(folder: Path) -> list[str]:
    """Checks that failed when they ran last, in this process or before."""
    listed = read_json(folder / PIPELINE_FILE).get(_FAILED)
    before = {str(name) for name in listed} if isinstance(listed, list) else set()
    return sorted(
        {name for name in before if _outcomes.get(name) is not True}
        | {name for name, passed in _outcomes.items() if not passed}
    )


def _by_name(problems: Iterable[Problem]) -> list[Problem]:
    """One for each name; names of files stay behind, because people may put anything in them."""
    sentences = defaultdict(list)
    for problem in problems:
        sentences[problem.name].append(problem.sentence)
    quarantined = len(sentences.get("quarantined_files", ()))
    if quarantined:
        sentences["quarantined_files"] = [
            f"{quarantined} file(s) are quarantined; `dlr status` names each and says why."
        ]
    return [Problem(name, " ".join(texts)) for name, texts in sentences.items()]
