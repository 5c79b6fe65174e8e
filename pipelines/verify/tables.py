"""The warehouse's tables, copied out row by row so that the pipeline waits no longer than that.

Nothing is computed here: plain columns, times as microseconds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import duckdb

from ingest.settings import Settings
from pipelines.lock import WarehouseError
from pipelines.verify.marttables import MARTS, SENDS
from pipelines.verify.spill import Row, Spill

_MOST_FETCHED = 10_000


class Message(NamedTuple):
    """A row of ``core.sms_status``; up to ``tag`` it is recomputed from the bytes."""

    sid: int
    uid: str | None
    mobile: str | None
    report_status: str
    delivered: bool
    handset_time_utc: int | None
    handset_time_raw: str | None
    event_time_utc: int
    event_hour_utc: int
    error_code: str | None
    error_detail: str | None
    error_category: str
    error_party: str | None
    error_permanent: str | None
    error_match: str | None
    first_received_at_utc: int
    push_id: str
    position: int
    copies: int
    conflicting: bool
    report_lag_s: float | None
    sent_at_utc: int | None
    handset_latency_s: float | None
    end_to_end_s: float | None
    tag: str | None
    range_operator: str | None
    mobile_e164: str | None
    country_code: str | None
    rules_version: str | None


class Push(NamedTuple):
    """A row of ``raw.pushes`` behind its key."""

    key: int
    push_id: str
    file: str
    received_at_utc: int
    body_bytes: int
    sha256: str
    decoding: str
    records: int
    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    repaired_mobiles: int
    rules_version: str | None


class Version(NamedTuple):
    """A row of ``core.conflicting_reports``."""

    sid: int
    version: int
    uid: str | None
    mobile: str | None
    report_status: str
    handset_time_utc: int | None
    handset_time_raw: str | None
    error_code: str | None
    error_detail: str | None
    copies: int
    first_received_at_utc: int
    is_winner: bool


class Repeated(NamedTuple):
    """A row of ``core.repeated_reports``."""

    sid: int
    push_id: str
    position: int
    outcome: str
    received_at_utc: int
    uid: str | None
    mobile: str | None
    report_status: str
    handset_time_utc: int | None
    handset_time_raw: str | None
    error_code: str | None
    error_detail: str | None


FILES = """
    with original as (
        select
            container,
            list(file order by offset_bytes, file) as files,
            list(coalesce(offset_bytes, 0) order by offset_bytes, file) as offsets,
            list(coalesce(bytes, 0) order by offset_bytes, file) as sizes,
            list(sha256 order by offset_bytes, file) as digests
        from ops.compacted_files
        where file is not null
        group by container
    )
    select
        files.file, coalesce(files.bytes, 0), files.sha256, files.state,
        coalesce(original.files, []), coalesce(original.offsets, []),
        coalesce(original.sizes, []), coalesce(original.digests, [])
    from ops.files as files
    left join original
        on original.container = files.file
    where files.file is not null
    order by files.file
"""
BY_SID = {
    "core.sms_status": """
        select
            sid, uid, mobile, report_status, delivered, epoch_us(handset_time_utc),
            handset_time_raw, epoch_us(event_time_utc), epoch_us(event_hour_utc), error_code,
            error_detail, error_category, error_party, error_permanent, error_match,
            epoch_us(first_received_at_utc), push_id, position, copies, conflicting,
            report_lag_s, epoch_us(sent_at_utc), handset_latency_s, end_to_end_s, tag,
            range_operator, mobile_e164, country_code, rules_version
        from core.sms_status
    """,
    "core.conflicting_reports": """
        select
            sid, version, uid, mobile, report_status, epoch_us(handset_time_utc), handset_time_raw,
            error_code, error_detail, copies, epoch_us(first_received_at_utc), is_winner
        from core.conflicting_reports
    """,
    "core.sends": """
        select
            sid, uid, epoch_us(sent_at_utc), tag, mobile, copies, match, reported_sid,
            epoch_us(waiting_hour_utc), country_code, range_operator
        from core.sends
    """,
    "core.repeated_reports": """
        select
            sid, push_id, position, outcome, epoch_us(received_at_utc), uid, mobile, report_status,
            epoch_us(handset_time_utc), handset_time_raw, error_code, error_detail
        from core.repeated_reports
    """,
}
"""Tables whose rows meet the reports of their message; the sid comes first."""
BY_PUSH = {
    "raw.pushes": """
        select
            push_id, file, epoch_us(received_at_utc), body_bytes, sha256, decoding, records,
            accepted, duplicates, conflicts, rejected, repaired_mobiles, rules_version
        from raw.pushes
    """,
    "raw.rejected_records": """
        select push_id, position, reason, field, epoch_us(received_at_utc)
        from raw.rejected_records
    """,
}
"""Tables whose rows meet the lines of their push; the push id comes first."""
BY_FILE = {
    "ops.ledger_by_file": """
        select
            file, pushes, records, messages, duplicates, conflicts, rejected,
            epoch_us(first_received_at_utc), epoch_us(last_received_at_utc), erased, balanced
        from ops.ledger_by_file
    """,
}
"""Tables whose rows meet the pushes of their file; the file comes first."""

EVERY = BY_SID | BY_PUSH | BY_FILE | MARTS | SENDS


def text_key(text: str | None) -> int:
    """Return the number by which everything about a push, or a file, meets."""
    return crc32((text or "").encode())


@contextmanager
def open_tables(
    path: Path, scratch: Path, settings: Settings
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Read a database file; raises WarehouseError where it cannot be read."""
    if not path.exists():
        raise WarehouseError(f"There is no {path} yet; `dlr run` makes it.")
    config: dict[str, str | bool | int | float | list[str]] = {"temp_directory": str(scratch)}
    if settings.memory_limit is not None:
        config["memory_limit"] = f"{int(settings.memory_limit)}B"
    try:
        with duckdb.connect(path, read_only=True, config=config) as con:
            yield con
    except duckdb.Error as error:
        raise WarehouseError(
            f"{path} cannot be read: {error}. It is a cache of the landed files: `dlr rebuild` "
            "makes it anew."
        ) from error


def stream(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[list[Row]]:
    """Yield the rows of a query, some thousand at a time."""
    cursor = con.execute(query)
    while rows := cursor.fetchmany(_MOST_FETCHED):
        yield rows


def one_row(con: duckdb.DuckDBPyConnection, query: str) -> Row:
    """Return the only row of a query."""
    rows: list[Row] = con.execute(query).fetchall()
    return rows[0]


def copy_tables(
    con: duckdb.DuckDBPyConnection,
    spills: dict[str, Spill],
    on_progress: Callable[[float], None],
) -> None:
    """Copy every table compared to its spill; the progress is the share that is done."""
    sizes = {name: one_row(con, f"select count(*) from {name}")[0] + 1 for name in EVERY}
    total, done = sum(sizes.values()), 0
    for name, query in EVERY.items():
        for rows in stream(con, query):
            by_text = name in BY_PUSH or name in BY_FILE
            spills[name].extend(map(_keyed, rows) if by_text else rows)
            on_progress(min(1.0, (done + len(rows)) / total))
            done += len(rows)
        spills[name].flush()


def _keyed(row: Row) -> tuple[Any, ...]:
    return (text_key(row[0]), *row)
