"""A data folder for tests: envelopes landed by hand, runs without Dagster, questions to readers."""

import atexit
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote_plus

import duckdb

from contract.envelope import Envelope
from contract.settings import Settings, load_settings
from pipelines.folder.format import stamp
from pipelines.folder.show import analytics_path
from pipelines.load.load import LoadReport, load
from pipelines.load.marts import refresh_marts
from pipelines.models import load_models
from pipelines.models.warehouse import open_warehouse, warehouse_path
from pipelines.publish.publish import Publication, publish

FIRST = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def settings_of(data: Path, **overrides: Any) -> Settings:
    """Settings of one data folder, whatever the developer's environment says."""
    return load_settings(data=data, _env_file=None, **overrides)


def record(sid: object = 1, **fields: object) -> dict[str, object]:
    """A good record; any field can be replaced."""
    good: dict[str, object] = {
        "sid": sid,
        "uid": "abc",
        "mobile": "15205201314",
        "report_status": "SUCCESS",
        "user_receive_time": "2026-03-02 15:59:57",
        "error_msg": "DELIVRD",
        "error_detail": "接收成功",
    }
    return good | fields


def form(value: object, times: int = 1) -> bytes:
    """The body of a push; ``value`` is JSON data, or the text of the parameter itself."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    for _ in range(times):
        text = quote_plus(text)
    return b"sms_status=" + text.encode()


def push(body: bytes, n: int = 0, **fields: Any) -> Envelope:
    """The ``n``-th push of a test, a second after the one before."""
    at = FIRST + timedelta(seconds=n)
    envelope = {
        "push_id": f"{n:08d}-{uuid.uuid5(uuid.NAMESPACE_OID, str(n)).hex[:8]}",
        "received_at": at,
        "remote_addr": "192.0.2.7",
        "content_type": "application/x-www-form-urlencoded",
        "body": body,
    }
    return Envelope(**(envelope | fields))


def land(settings: Settings, pushes: Iterable[Envelope], name: str = "a") -> Path:
    """Put pushes into one landed file; returns it."""
    path = (
        settings.landing
        / "yunpian"
        / f"{FIRST:%Y-%m-%d}"
        / f"{FIRST:%Y%m%dT%H%M%S}.000000Z-{name}.jsonl"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(envelope.to_line() for envelope in pushes))
    return path


def land_bodies(settings: Settings, bodies: Sequence[bytes], name: str = "a") -> Path:
    """Land bodies as pushes numbered from 0."""
    return land(settings, [push(body, n) for n, body in enumerate(bodies)], name)


_EMPTY: dict[tuple[str, ...], tuple[object, bytes]] = {}
"""A warehouse without rows, and the models it was made by, by the settings it depends on."""


def start_empty(settings: Settings) -> None:
    """Give a new folder the tables, copied from those made once: half of a small run's time."""
    target = warehouse_path(settings)
    if target.exists():
        return
    key = (settings.provider_timezone, settings.sends_timezone, settings.default_region)
    if key not in _EMPTY or _EMPTY[key][0] is not load_models():
        with tempfile.TemporaryDirectory() as folder:
            names = ("provider_timezone", "sends_timezone", "default_region")
            values = dict(zip(names, key, strict=True))
            other = settings_of(Path(folder) / "data", **values)
            with open_warehouse(other):
                pass
            _EMPTY[key] = load_models(), warehouse_path(other).read_bytes()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp(settings)
    target.write_bytes(_EMPTY[key][1])


def take(settings: Settings, run_id: str | None = None) -> LoadReport:
    """Take in what is pending, up to the marts."""
    start_empty(settings)
    with open_warehouse(settings) as con:
        report = load(con, settings, run_id or uuid.uuid4().hex)
        refresh_marts(con)
    return report


def run(settings: Settings) -> Publication:
    """What the job does: take in, add up, publish."""
    start_empty(settings)
    with open_warehouse(settings) as con:
        load(con, settings, uuid.uuid4().hex)
        refresh_marts(con)
        return publish(con, settings)


class Kept:
    """A data folder that is made once, and put back as it was, in its place, for every test.

    The place stays because the published views name their files by absolute paths.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._copy = settings.data.with_name(f"{settings.data.name}-kept")
        shutil.copytree(settings.data, self._copy, symlinks=True)

    def put_back(self) -> Settings:
        """Undo what the test before did; the books then know the files that lie there."""
        data = self._settings.data
        shutil.rmtree(data)
        shutil.copytree(self._copy, data, symlinks=True)
        with duckdb.connect(warehouse_path(self._settings)) as con:
            for (name,) in con.execute("select path from ops.published_files").fetchall():
                there = (data / "exports" / name).lstat()
                con.execute(
                    "update ops.published_files set changed_ns = ?, inode = ? where path = ?",
                    [there.st_ctime_ns, there.st_ino, name],
                )
        return self._settings


@cache
def _engine(process: int) -> duckdb.DuckDBPyConnection:
    """Stays open for a process: to attach a file takes a quarter of the time of a new engine."""
    con = duckdb.connect()
    atexit.register(_engine.cache_clear)
    return con


@contextmanager
def _opened(path: Path, mode: Literal["read_only", "read_write"]) -> Iterator[Any]:
    con, name = _engine(os.getpid()).cursor(), path.stem
    try:
        con.execute(f"attach '{path}' as {name} ({mode})")
    except duckdb.Error:  # open in this process already, or what a test made of it
        with duckdb.connect(path, read_only=mode == "read_only") as other:
            yield other
        return
    try:
        con.execute(f"use {name}")
        yield con
    finally:
        con.execute("use memory")
        con.execute(f"detach {name}")
        con.close()


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """Rows of the published database."""
    with _opened(analytics_path(settings), "read_only") as con:
        return con.execute(query).fetchall()


def warehouse(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """Rows of the pipeline's own database; also changes it, to tamper with it."""
    with _opened(warehouse_path(settings), "read_write") as con:
        return con.execute(query).fetchall()


def fingerprint(settings: Settings) -> str:
    """Fingerprint after the newest run."""
    return str(
        warehouse(settings, "select fingerprint from ops.ledger order by sequence desc limit 1")[0][
            0
        ]
    )


def rejects(settings: Settings) -> list[Mapping[str, object]]:
    """Everything that was rejected, in order."""
    names = ("push_id", "position", "reason", "field", "value")
    rows = warehouse(settings, f"select {', '.join(names)} from raw.rejected_records order by all")
    return [dict(zip(names, row, strict=True)) for row in rows]
