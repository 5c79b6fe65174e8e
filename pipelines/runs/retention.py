"""Dagster's history kept small: the newest runs stay, what belongs to older ones goes.

A run leaves up to 1.15 MB in SQLite. `Keep` says how many stay; with a tenth more, after which the
next sweep is due, that is 278 MB.

Whatever runs leave, of each asset and partition the newest materialisation stays, and of each check
the newest result, or Dagster would forget which landing days are done and which checks passed.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from sqlalchemy import Column, and_, delete, func, select, text
from sqlalchemy.engine import Connection

from pipelines.runs.event_log import EventLog
from pipelines.runs.history import forget_process

_EVENTS, _TAGS = SqlEventLogStorageTable.c, AssetEventTagsTable.c
_CHECKS = AssetCheckExecutionsTable.c
_ENDED_BADLY = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_WELL = [dg.DagsterRunStatus.SUCCESS]
_RUNLESS = ""
"""Dagster's run id of what no run reported."""
_WORTHWHILE_BYTES = 20_000_000
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Keep:
    """Which finished runs stay."""

    runs: int = 180
    """The newest that succeeded."""
    failed: int = 40
    """The newest that failed or were cancelled."""
    days: int = 7
    """Those that succeeded and are no older."""
    failed_days: int = 30
    """Those that failed and are no older."""


KEEP = Keep()


def sweep_if_due(instance: dg.DagsterInstance, keep: Keep = KEEP) -> int:
    """Sweep once there is a tenth more than is kept; returns how many runs went.

    Two counts where nothing is due, so that it may be asked for every few seconds.
    """
    for statuses, limit in ((_WELL, keep.runs), (_ENDED_BADLY, keep.failed)):
        count = instance.get_runs_count(dg.RunsFilter(statuses=statuses))
        if count > limit + max(1, limit // 10):
            return sweep_history(instance, keep)
    return 0


def sweep_history(instance: dg.DagsterInstance, keep: Keep = KEEP) -> int:
    """Delete finished runs that are not kept, and what deleted runs left; returns how many."""
    log = instance.event_log_storage
    gone = [
        *_beyond(instance, _WELL, keep.runs, keep.days),
        *_beyond(instance, _ENDED_BADLY, keep.failed, keep.failed_days),
    ]
    for run_id in gone:
        instance.run_storage.delete_run(run_id)
        forget_process(instance, run_id)
    if isinstance(log, SqlEventLogStorage):
        _forget_events(instance, log)
        _remove_orphans(instance)
        if isinstance(log, EventLog):
            _give_back(log)
    return len(gone)


def _beyond(
    instance: dg.DagsterInstance, statuses: list[dg.DagsterRunStatus], limit: int, days: int
) -> Iterator[str]:
    """Runs beyond the newest ``limit``, or older than ``days``."""
    oldest = datetime.now(UTC) - timedelta(days=days)
    records = instance.get_run_records(dg.RunsFilter(statuses=statuses))  # the newest first
    for place, record in enumerate(records):
        if place >= limit or record.create_timestamp.replace(tzinfo=UTC) < oldest:
            yield record.dagster_run.run_id


def _forget_events(instance: dg.DagsterInstance, log: SqlEventLogStorage) -> None:
    """Delete the rows of runs that are gone, but for the newest of each asset and check."""
    with log.index_connection() as connection:
        events = _gone(instance, connection, _EVENTS.run_id)
        checks = _gone(instance, connection, _CHECKS.run_id)
        if events:
            newest = _newest(
                _EVENTS.id,
                [_EVENTS.asset_key, _EVENTS.partition],
                _EVENTS.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION.value,
            )
            for run_id in events:
                old = and_(_EVENTS.run_id == run_id, _EVENTS.id.not_in(newest))
                tags = delete(AssetEventTagsTable)
                connection.execute(tags.where(_TAGS.event_id.in_(select(_EVENTS.id).where(old))))
                connection.execute(delete(SqlEventLogStorageTable).where(old))
        if checks:
            newest = _newest(
                _CHECKS.id,
                [_CHECKS.asset_key, _CHECKS.check_name, _CHECKS.partition],
                _CHECKS.execution_status.in_(["SUCCEEDED", "FAILED"]),
            )
            for run_id in checks:
                old = and_(_CHECKS.run_id == run_id, _CHECKS.id.not_in(newest))
                connection.execute(delete(AssetCheckExecutionsTable).where(old))
        if isinstance(log, EventLog):
            _forget_copies(connection)


def _forget_copies(connection: Connection) -> None:
    """Delete the index's copies of check events: the table of checks has their content.

    The last row stays because SQLite would give its number to another event.
    """
    kinds = ["ASSET_CHECK_EVALUATION", "ASSET_CHECK_EVALUATION_PLANNED"]
    last = select(func.max(_EVENTS.id)).scalar_subquery()
    copies = and_(_EVENTS.dagster_event_type.in_(kinds), _EVENTS.id < last)
    connection.execute(delete(SqlEventLogStorageTable).where(copies))


def _gone(instance: dg.DagsterInstance, connection: Connection, column: "Column[Any]") -> list[str]:
    """Runs that have rows and are not known any more."""
    ids = [run_id for (run_id,) in connection.execute(select(column).distinct())]
    # asked for after the rows were read: a run is known before it has any
    return _unknown(instance, [run_id for run_id in ids if run_id not in (None, _RUNLESS)])


def _unknown(instance: dg.DagsterInstance, run_ids: list[str]) -> list[str]:
    known: set[str] = set()
    for start in range(0, len(run_ids), _CHUNK):
        some = dg.RunsFilter(run_ids=run_ids[start : start + _CHUNK])
        known.update(instance.run_storage.get_run_ids(some))
    return [run_id for run_id in run_ids if run_id not in known]


def _newest(number: "Column[Any]", each: "list[Column[Any]]", kind: Any) -> Any:  # noqa: ANN401
    """Numbers of the newest rows of a kind."""
    return select(func.max(number)).where(kind).group_by(*each)


def _remove_orphans(instance: dg.DagsterInstance) -> None:
    """Remove the files of runs that are gone, whoever deleted them."""
    home, log = Path(instance.root_directory), instance.event_log_storage
    owned = {file.name: file for file in (home / "storage").glob("*") if file.is_dir()}
    running = {file.stem for file in (home / "running").glob("*")}
    databases = {file.stem for file in log.files()} if isinstance(log, EventLog) else set()
    for run_id in _unknown(instance, sorted(owned.keys() | running | databases)):
        if isinstance(log, EventLog):
            log.remove_file(run_id)
        if run_id in owned:
            shutil.rmtree(owned[run_id], ignore_errors=True)
        forget_process(instance, run_id)


def _give_back(log: EventLog) -> None:
    """Give free space of the index back to the disk where it is much, and empty its log."""
    with log.index_connection() as connection:
        pages, free, size = (
            connection.execute(text(f"pragma {name}")).scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
    log.compact(vacuum=bool(free * 2 > pages and free * size > _WORTHWHILE_BYTES))
