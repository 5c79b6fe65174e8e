"""Where Dagster keeps its history; ``dagster.yaml`` names the classes of this module.

    $DLR_DATA/dagster/history/runs.db             runs
    $DLR_DATA/dagster/history/runs/               events (``event_log``)
    $DLR_DATA/dagster/schedules/schedules.db      ticks and switches
    $DLR_DATA/dagster/checked                     version of Dagster that has checked these tables

With ``DLR_DAGSTER_STORAGE=postgresql://…`` the first three are tables of that database. The copy of
``dagster.yaml`` in a data folder names the folder; that of a checkout leaves it to ``DLR_DATA``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import dagster as dg
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.legacy_storage import CompositeStorage
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.runs import RunStorage, SqliteRunStorage
from dagster._core.storage.schedules import ScheduleStorage, SqliteScheduleStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._serdes import ConfigurableClassData
from filelock import FileLock

from contract.settings import load_settings
from pipelines.runs.event_log import EventLog
from pipelines.runs.home import check_driver

_CONFIG = {"home": dg.Field(str, is_required=False)}
Storages = tuple[RunStorage, EventLogStorage, ScheduleStorage]


class Storage(CompositeStorage):
    """Runs, events and schedules, in SQLite or PostgreSQL as the settings say."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Folder of Dagster's files; that of the settings where none is named."""
        return _CONFIG

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, Any],
    ) -> Self:
        """Open the storage; called by Dagster."""
        settings = load_settings()
        check_driver(settings)
        if settings.dagster_storage:
            return cls(*_postgres(settings.dagster_storage.get_secret_value()), inst_data)
        return cls(*_sqlite(_home(config_value)), inst_data)


class ArtifactStorage(LocalArtifactStorage):
    """Files of runs, in the data folder."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Folder of Dagster's files; that of the settings where none is named."""
        return _CONFIG

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, Any],
    ) -> Self:
        """Create it; called by Dagster."""
        return cls(str(_home(config_value)), inst_data)


def _home(config_value: Mapping[str, Any]) -> Path:
    named = config_value.get("home")
    return Path(named) if named else load_settings().data.absolute() / "dagster"


def _sqlite(home: Path) -> Storages:
    """Open the databases; their tables are checked once for each version of Dagster.

    Each check loads all of Dagster's migrations: 8 % of a small `dlr run`.
    """
    folder, schedules = home / "history", home / "schedules"
    mark = home / "checked"
    files = (folder / "runs.db", folder / "runs" / "index.db", schedules / "schedules.db")
    if all(file.exists() for file in files) and _read(mark) == dg.__version__:
        return (
            SqliteRunStorage(create_db_conn_string(str(folder), "runs")),
            EventLog(str(folder / "runs"), checked=True),
            SqliteScheduleStorage(create_db_conn_string(str(schedules), "schedules")),
        )
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(home / "checked.lock"):  # two processes that make tables leave them broken
        events = EventLog(str(folder / "runs"))
        storages = (
            SqliteRunStorage.from_local(str(folder)),
            events,
            SqliteScheduleStorage.from_local(str(schedules)),
        )
        events.all_asset_keys()  # type: ignore[no-untyped-call]  # opens the index, which checks its tables
        mark.write_text(dg.__version__, encoding="ascii")
    return storages


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _postgres(url: str) -> Storages:
    from dagster_postgres.run_storage import PostgresRunStorage
    from dagster_postgres.schedule_storage import PostgresScheduleStorage

    from pipelines.runs.postgres import PostgresEventLog

    # the driver that comes with Dagster's library; SQLAlchemy would take another one
    url = url.replace("postgresql://", "postgresql+psycopg2://", 1)
    return PostgresRunStorage(url), PostgresEventLog(url), PostgresScheduleStorage(url)
