"""The published state: Parquet files, ``analytics.duckdb`` over them, the manifest last.

Readers follow ``analytics.duckdb`` or ``exports/manifest.json``. Both are replaced by rename,
and both name files that never change, so a reader sees one state, the old or the new. Files
that a new state no longer names stay for ``GRACE``, for those who still follow the old one.
"""

import json
import os
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
import pandas as pd

from ingest.settings import Settings
from pipelines import export, ledger, models
from pipelines.dictionary import dictionary_is_current, refresh_dictionary
from pipelines.export import exports_folder
from pipelines.export_parts import Part
from pipelines.files import replace_file
from pipelines.marts import refresh_marts
from pipelines.pieces import plan
from pipelines.privacy import refuse_phones
from pipelines.report import replace_report
from pipelines.sendledger import describe_sends, latest_sends
from pipelines.warehouse import transaction

GRACE_S = 2 * 3600.0
"""How long a reader may go on with a state that was replaced."""
STORAGE_VERSION = "v1.2.0"
"""Oldest DuckDB that can open the published file."""


_PART = {
    "table_name": "string",
    "part_day": "object",
    "from_minute_utc": "datetime64[us]",
    "until_minute_utc": "datetime64[us]",
    "path": "string",
    "rows": "int64",
    "bytes": "int64",
    "sha256": "string",
}


class UnbalancedError(RuntimeError):
    """The ledger does not balance; publishing was refused."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What a publication did."""

    published: bool
    """False where readers already had everything."""
    written: int = 0
    """Parquet files written."""
    rows: int = 0
    """Rows in them."""
    bytes: int = 0
    """Bytes in them."""
    fingerprint: str = ""


def analytics_path(settings: Settings) -> Path:
    """The published database."""
    return settings.data.absolute() / "analytics.duckdb"


def manifest_path(settings: Settings) -> Path:
    """The list of current exports."""
    return exports_folder(settings) / "manifest.json"


def publish(con: duckdb.DuckDBPyConnection, settings: Settings) -> Publication:
    """Bring readers to the state of the warehouse; what did not change is left alone.

    Raises UnbalancedError where the conservation law does not hold, PrivacyError where a phone
    number could be seen.
    """
    broken = _broken_law(con)
    if broken:
        raise UnbalancedError(
            f"{broken}. Nothing was published. `dlr verify` names the place, `dlr rebuild` makes "
            "the warehouse anew."
        )
    refresh_marts(con)
    anew = _must_start_anew(con, settings)
    stale = export.every_part(con) if anew else export.stale_parts(con)
    if not stale and not anew:
        refresh_dictionary(settings)
        return Publication(published=False)
    current = [] if anew else export.current_parts(con)
    keep, write = plan(current, stale, partial(export.rows_by_minute, con))
    written = export.write_parts(con, settings, write)
    refuse_phones(con, settings, written)
    parts = sorted(keep + written, key=lambda part: (part.table_name, part.path))
    state = _state(con, settings)
    _replace_database(settings, parts)
    state["report"] = replace_report(con, settings)
    refresh_dictionary(settings)
    retired = _listed(settings)
    _replace_manifest(settings, parts, state)
    _remember(con, parts, state)
    _sweep(settings, retired)
    return Publication(
        published=True,
        written=len(written),
        rows=sum(part.rows for part in written),
        bytes=sum(part.bytes for part in written),
        fingerprint=str(state["fingerprint"]),
    )


def _must_start_anew(con: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Whether what lies there cannot be built upon: other rules, or files that are missing."""
    known = con.execute(
        "select mobile, schema_version from ops.publications order by published_at_utc desc limit 1"
    ).fetchall()
    if known != [(export_rule(settings), models.schema_version())]:
        return True
    root = exports_folder(settings)
    needed = [analytics_path(settings), manifest_path(settings)]
    needed += [root / part.path for part in export.current_parts(con)]
    return not all(path.exists() for path in needed)


def is_current(con: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Whether readers have everything."""
    current = not _is_behind(con) and not _must_start_anew(con, settings)
    return current and dictionary_is_current(settings)


def can_publish(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether readers are behind the warehouse, and nothing forbids to publish."""
    return _is_behind(con) and _broken_law(con) is None


def _broken_law(con: duckdb.DuckDBPyConnection) -> str | None:
    """Which run does not balance, of the reports or of the send log; None where both do."""
    for last, describe in (
        (ledger.latest(con), ledger.describe),
        (latest_sends(con), describe_sends),
    ):
        if last is not None and not last["balanced"]:
            return f"Run {last['run_id']} does not balance: {describe(last)}"
    return None


def _is_behind(con: duckdb.DuckDBPyConnection) -> bool:
    stale = con.execute(
        "select 1 from ops.stale_parts union all select 1 from ops.stale_hours limit 1"
    ).fetchall()
    return bool(stale)


def export_rule(settings: Settings) -> str:
    """How mobiles are written, and where; another rule means every file is written again."""
    return f"{settings.export_mobile} {exports_folder(settings)}"


def _state(con: duckdb.DuckDBPyConnection, settings: Settings) -> dict[str, object]:
    last = ledger.latest(con)
    as_of = con.execute("select max(received_at_utc) from raw.pushes").fetchall()[0][0]
    return {
        "schema_version": models.schema_version(),
        "fingerprint": last["fingerprint"] if last else ledger.fingerprint(0, 0),
        "as_of_utc": as_of.isoformat() if as_of else None,
        "published_at_utc": datetime.now(UTC).replace(tzinfo=None).isoformat(),
        "mobile": settings.export_mobile,
        "rule": export_rule(settings),
    }


def _replace_database(settings: Settings, parts: Iterable[Part]) -> None:
    """A small database of views over exactly these files, put in place by rename."""
    target = analytics_path(settings)
    new = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    paths: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        paths[part.table_name].append(str(exports_folder(settings) / part.path))
    with duckdb.connect() as builder:
        builder.execute(
            f"attach {models.literal(str(new))} as published "
            f"(storage_version {models.literal(STORAGE_VERSION)})"
        )
        builder.execute("use published")
        with transaction(builder):
            for model in models.load_models().values():
                if model.export is not None:
                    builder.execute(f"create schema if not exists {model.schema}")
                    builder.execute(
                        f"create view {model.name} as {_view(model, paths[model.name])}"
                    )
                    models.comment(builder, "view", model)
            models.publish_functions(builder)
        builder.execute("use memory")
        builder.execute("detach published")
    new.chmod(0o600)
    replace_file(new, target)


def _view(model: models.Model, paths: list[str]) -> str:
    names = ", ".join(f'"{name}"' for name in model.columns)
    if paths:
        files = ", ".join(models.literal(path) for path in paths)
        return f"select {names} from read_parquet([{files}], hive_partitioning = false)"
    nothing = ", ".join(
        f'null::{column.type} as "{name}"' for name, column in model.columns.items()
    )
    return f"select {nothing} where false"


def _replace_manifest(settings: Settings, parts: Iterable[Part], state: dict[str, object]) -> None:
    target = manifest_path(settings)
    new = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    files = [
        {
            "table": part.table_name,
            "path": part.path,
            "rows": part.rows,
            "bytes": part.bytes,
            "sha256": part.sha256,
        }
        for part in parts
    ]
    content = {name: value for name, value in state.items() if name != "rule"}
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content | {"files": files}, file, indent=1)
    replace_file(new, target)


def _remember(con: duckdb.DuckDBPyConnection, parts: list[Part], state: dict[str, object]) -> None:
    current = pd.DataFrame([asdict(part) for part in parts], columns=list(_PART)).astype(_PART)
    con.register("current_parts", current)
    with transaction(con):
        con.execute("delete from ops.stale_parts")
        con.execute("delete from ops.export_parts")
        con.execute("insert into ops.export_parts by name from current_parts")
        names = ("published_at_utc", "as_of_utc", "fingerprint", "rule", "schema_version")
        con.execute(
            "insert into ops.publications values (?, ?, ?, ?, ?)", [state[name] for name in names]
        )
    con.unregister("current_parts")


def _listed(settings: Settings) -> set[str]:
    """Files the manifest in place names; none where there is no readable one."""
    try:
        manifest = json.loads(manifest_path(settings).read_text(encoding="utf-8"))
        return {file["path"] for file in manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _sweep(settings: Settings, retired: set[str]) -> None:
    """Let files go that no reader can follow any more; a grace begins for the retired ones."""
    root = exports_folder(settings)
    current = _listed(settings)
    for name in retired - current:
        with suppress(FileNotFoundError):
            os.utime(root / name)
    for path in root.rglob("*.parquet"):
        unlisted = str(path.relative_to(root)) not in current
        if unlisted and time.time() - path.stat().st_mtime > GRACE_S:
            path.unlink()
