"""Dagster's event log in SQLite, with its databases kept open while they are written to.

    $DAGSTER_HOME/history/runs/index.db       events of assets, over all runs
    $DAGSTER_HOME/history/runs/<run id>.db    every event of one run

Dagster's own class opens a database for each of the roughly 250 writes of a run and waits for the
disk each time: 1.2 s a run, spent on history, not on data. It gives each run's database all of its
tables, of which one is used. It forgets neither the asset checks nor the files of a deleted run.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqlEventLogStorageTable, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

from pipelines.runs.slim import slim

INDEX = "index"
_RUNLESS = ".db"
"""The whole name of the file of events that no run reported."""
_MOST_OPEN = 2
"""The index, and the run in progress."""
_WAL_PAGES = 200
"""After so many pages (of 4 kB) a write-ahead log is written to its database and cut. A killed run
leaves its own behind."""


class EventLog(SqliteEventLogStorage):
    """The same files, tables and rows as Dagster's own."""

    def __init__(
        self,
        base_dir: str,
        inst_data: ConfigurableClassData | None = None,
        *,
        checked: bool = False,
    ) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)
        if checked:  # this version of Dagster has seen the tables of the index
            self._initialized_dbs.add(INDEX)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "EventLog":
        """Create the event log as ``dagster.yaml`` says; called by Dagster."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.get(shard) or self._open(shard)
        self._engines[shard] = engine
        self._engines.move_to_end(shard)
        while len(self._engines) > _MOST_OPEN:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def _open(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        with engine.connect() as connection:
            # a power cut may cost the last events; a crash of the process costs none
            connection.execute(text("pragma synchronous = normal"))
            connection.execute(text(f"pragma journal_size_limit = {4096 * _WAL_PAGES}"))
            connection.execute(text(f"pragma wal_autocheckpoint = {_WAL_PAGES}"))
        if shard not in self._initialized_dbs:
            if shard == INDEX:
                self._initdb(engine)
            else:
                self._make_run_table(engine)
            self._initialized_dbs.add(shard)
        return engine

    def _make_run_table(self, engine: Engine) -> None:
        """Give a run its table of events, and the version by which Dagster migrates it."""
        with engine.connect() as connection:
            known = "select 1 from sqlite_master where name = 'event_logs'"
            if connection.execute(text(known)).first():
                return
            connection.execute(text("pragma journal_mode = wal"))
        with closing(sqlite3.connect(self.path_for_shard(INDEX))) as index:
            [version] = index.execute("select version_num from alembic_version").fetchone()
        with engine.begin() as connection:
            SqlEventLogStorageTable.create(connection, checkfirst=True)
            connection.execute(
                text(
                    "create table if not exists alembic_version (version_num varchar(32) not null)"
                )
            )
            connection.execute(text("delete from alembic_version"))
            connection.execute(text("insert into alembic_version values (:v)"), {"v": version})

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event without what is stored elsewhere."""
        super().store_event(slim(event))

    def delete_events(self, run_id: str) -> None:
        """Forget a run: its events, its asset checks, its file."""
        with self.index_connection() as connection:
            self.delete_events_for_run(connection, run_id)
            checks = AssetCheckExecutionsTable
            connection.execute(checks.delete().where(checks.c.run_id == run_id))
        self.remove_file(run_id)

    def remove_file(self, run_id: str) -> None:
        """Remove the database of a run."""
        with self._db_lock:
            if engine := self._engines.pop(run_id, None):
                engine.dispose()
            self._initialized_dbs.discard(run_id)
            for file in Path(self._base_dir).glob(f"{run_id}.db*"):
                file.unlink(missing_ok=True)

    def files(self) -> Iterator[Path]:
        """Databases of runs."""
        for file in Path(self._base_dir).glob("*.db"):
            if file.stem not in (INDEX, _RUNLESS):
                yield file

    def compact(self, *, vacuum: bool) -> None:
        """Write the index anew without free space if asked for, and cut its write-ahead log."""
        index = closing(sqlite3.connect(self.path_for_shard(INDEX)))
        # where somebody reads or writes, the next sweep tries again
        with self._db_lock, index as connection, suppress(sqlite3.OperationalError):
            if vacuum:
                connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")

    def dispose(self) -> None:
        """Close every database."""
        while self._engines:
            self._engines.popitem()[1].dispose()
        super().dispose()
