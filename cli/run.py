"""`dlr run`: process everything pending now."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

from cli.common import accounted, counted, progress_bar
from contract.progress import listen
from contract.settings import Settings, load_settings
from pipelines.landing.closed_partitions import take_inventory
from pipelines.landing.registry import LANDED_FILES, SEND_FILES, quarantined
from pipelines.load import ledger
from pipelines.models.warehouse import open_warehouse
from pipelines.runs.home import InstanceError, missing_in, prepare_instance
from pipelines.sends.files import list_sends
from pipelines.service.after_run import report_after_run
from pipelines.service.look import Run
from pipelines.service.up_state import is_up_alive


def add_options(parser: argparse.ArgumentParser) -> None:
    """No options: the data folder tells what is pending."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001
    """Run the job and say what it did."""
    from pipelines.runs.instance import refresh  # and with it Dagster, which is slow to import

    settings = load_settings()
    for sentence in missing_in(prepare_instance(settings)):
        print(f"dlr: {sentence}", file=sys.stderr)
    started = datetime.now(UTC).replace(tzinfo=None)
    try:
        with progress_bar("Processing pending files") as advance:
            listen(advance)
            run_id = refresh(settings)
    finally:
        if not is_up_alive(settings):
            _report_problems(settings)
    print(summary(settings, run_id, started))
    return 0


def _report_problems(settings: Settings) -> None:
    """Do what `dlr up` would: write down what is wrong, and send alerts."""
    from pipelines.runs.instance import newest_runs

    try:
        runs = [Run(*each) for each in newest_runs(settings)]
    except (InstanceError, OSError):
        runs = []  # why it cannot be opened is what the run failed of, and what it says
    report_after_run(settings, runs, lambda line: print(f"dlr: {line}", file=sys.stderr))


def summary(settings: Settings, run_id: str, started: datetime) -> str:
    """What the run did, in a few lines; ``started`` is naive UTC."""
    with open_warehouse(settings, read_only=True) as con:
        return "\n".join(
            [
                *_loaded(con, run_id, started),
                *_sends_loaded(con, run_id),
                *_recomputed(con, run_id),
                *_quarantined(con, settings),
            ]
        )


def _loaded(con: duckdb.DuckDBPyConnection, run_id: str, started: datetime) -> Iterator[str]:
    """What was loaded and published, what was made again, what was wrong with the report."""
    rows = con.execute(
        """
        select published_at_utc >= ?, repaired, report_problem
        from ops.publications
        order by published_at_utc desc
        limit 1
        """,
        [started],
    ).fetchall()
    published, repaired, problem = rows[0] if rows else (False, None, None)
    last: Mapping[str, Any] | None = ledger.latest(con)
    if last is not None and last["run_id"] == run_id and last["files"]:
        files, pushes = counted(last["files"], "file"), counted(last["pushes"], "push")
        yield f"Loaded {files}, {pushes}, {accounted(last)}. Ledger balanced; published."
    elif not published:
        yield "Nothing new; readers have everything."
    else:
        yield "No new files." if repaired else "No new files; unpublished changes were published."
    if published and repaired:
        yield f"Restored what was missing or altered: {repaired}."
    if problem:
        yield f"{problem} Readers keep the previous report."


def _sends_loaded(con: duckdb.DuckDBPyConnection, run_id: str) -> Iterator[str]:
    sends: Mapping[str, Any] | None = ledger.latest(con, ledger.SENDS)
    if sends is not None and sends["run_id"] == run_id:
        yield (
            f"Loaded {counted(sends['files'], 'file')} of the send log, "
            f"{counted(sends['received'], 'row')}: {counted(sends['sends'], 'send')}, "
            f"{sends['repeated']:,} repeated, {counted(sends['duplicates'], 'duplicate')}, "
            f"{sends['rejected']:,} rejected."
        )


def _recomputed(con: duckdb.DuckDBPyConnection, run_id: str) -> Iterator[str]:
    """Which tables the run recomputed as a whole, a line each."""
    rows = con.execute(
        "select model, rows, seconds from ops.models where run_id = ? order by model", [run_id]
    ).fetchall()
    if rows:
        yield "Recomputed for all of history because SQL, settings or reference data changed:"
    for model, count, seconds in rows:
        yield f"  {model}: {counted(count, 'row')}, {seconds:.1f} s"


def _quarantined(con: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[str]:
    files = {
        **quarantined(con, LANDED_FILES, take_inventory(con, settings.landing).listing.files),
        **quarantined(con, SEND_FILES, list_sends(settings.sends)),
    }
    if files:
        yield f"Action required: {counted(len(files), 'quarantined file')}, see `dlr status`."
