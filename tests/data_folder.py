"""A data folder for tests: envelopes landed by hand, runs without Dagster, questions to readers."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import duckdb

from contract.envelope import Envelope
from contract.settings import Settings, load_settings
from pipelines.folder.show import analytics_path
from pipelines.load.load import LoadReport, load
from pipelines.load.marts import refresh_marts
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


def take(settings: Settings, run_id: str | None = None) -> LoadReport:
    """Take in what is pending, up to the marts."""
    with open_warehouse(settings) as con:
        report = load(con, settings, run_id or uuid.uuid4().hex)
        refresh_marts(con)
    return report


def run(settings: Settings) -> Publication:
    """What the job does: take in, add up, publish."""
    take(settings)
    with open_warehouse(settings) as con:
        return publish(con, settings)


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """Rows of the published database."""
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        return con.execute(query).fetchall()


def warehouse(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """Rows of the pipeline's own database; also changes it, to tamper with it."""
    with duckdb.connect(warehouse_path(settings)) as con:
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
