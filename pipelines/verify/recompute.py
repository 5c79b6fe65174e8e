"""The expected tables, by verify's own SQL over the rows that were read.

    steps/<name>.sql             what several tables need
    <schema>/<table>.sql         a table: a SELECT with the columns of its header in warehouse/

Relations of a table are called <schema>_<table>; times are microseconds since 1970 in UTC, dates
text, booleans 0 and 1, and nothing is masked.
"""

import re
import sqlite3
from collections import deque
from collections.abc import Iterable
from hashlib import md5
from pathlib import Path

from contract.settings import Settings
from pipelines.verify import functions
from pipelines.verify.clock import shown
from pipelines.verify.masking import register_masks
from pipelines.verify.reference import reference_rows, reference_version
from pipelines.verify.scratch import store

EXPECTED = Path(__file__).parent / "expected"
_STEPS = ("push", "repeated_sid", "copy", "winner", "meaning", "sent", "lone", "attributed")
_VIEWS = ("winner",)
_KEYS = {"push": "line", "repeated_sid": "sid", "attributed": "sid", "core_sms_status": "sid"}
"""Whole numbers by which a table is looked up; its rows come in their order."""
_WRAP = 2**64
_ESCAPE = re.compile(r"\\(?:u00([01][0-9a-f])|.)")
_CONTENT = """
    json_array(
        sid, uid, mobile, mobile_e164, country_code, range_operator, report_status,
        handset_time_utc, handset_time_raw, error_code, error_detail, error_category, error_party,
        error_permanent, error_match, json(iif(conflicting, 'true', 'false')), sent_at_utc, tag
    )
"""
"""What of a message does not depend on its arrival."""


def queries(schemas: Iterable[str]) -> dict[str, str]:
    """Return the SQL of every expected table of some schemas, by relation."""
    return {
        f"{schema}_{path.stem}": path.read_text("utf-8")
        for schema in schemas
        for path in sorted((EXPECTED / schema).glob("*.sql"))
    }


def recount_query(name: str) -> str:
    """Return a query about the recount as a whole."""
    return (EXPECTED / "recount" / f"{name}.sql").read_text("utf-8")


def register(con: sqlite3.Connection, settings: Settings) -> None:
    """Let the SQL call functions of Python."""
    functions.register(con)
    register_masks(con, settings)
    con.create_function("shown", 1, shown, deterministic=True)
    con.create_function("reference_version", 0, reference_version, deterministic=True)
    con.create_aggregate("fingerprint", 1, _Fingerprint)  # type: ignore[arg-type]


def build_core(con: sqlite3.Connection) -> None:
    """Make the steps, then everything of raw, core and ops."""
    _store_reference(con)
    for step in _STEPS:
        _build(con, step, (EXPECTED / "steps" / f"{step}.sql").read_text("utf-8"))
    build(con, queries(("raw", "core", "ops")))


def build(con: sqlite3.Connection, tables: dict[str, str]) -> None:
    """Make tables, each as soon as those it reads are there. Raises sqlite3.OperationalError."""
    pending, failures = deque(tables.items()), 0
    while pending:
        relation, sql = pending.popleft()
        try:
            _build(con, relation, sql)
            failures = 0
        except sqlite3.OperationalError as error:
            failures += 1
            if "no such table" not in str(error) or failures > len(pending):
                raise
            pending.append((relation, sql))


def _build(con: sqlite3.Connection, relation: str, sql: str) -> None:
    key = _KEYS.get(relation)
    if relation in _VIEWS:
        con.execute(f"create temp view {relation} as {sql}")
    elif key is None:
        con.execute(f"create table {relation} as {sql}")
    else:
        described = con.execute(f"select * from ({sql}) limit 0").description
        names = [column[0] for column in described]
        columns = [f"{name} integer primary key" if name == key else f'"{name}"' for name in names]
        con.execute(f"create table {relation} ({', '.join(columns)})")
        con.execute(f"insert into {relation} {sql}")


def _store_reference(con: sqlite3.Connection) -> None:
    for name in ("carrier_errors", "carrier_error_patterns", "error_categories"):
        rows = list(reference_rows(name))
        columns = [f'"{column}"' for column in rows[0]]
        store(con, f"reference_{name}", columns, (tuple(row.values()) for row in rows))


def fingerprint(con: sqlite3.Connection) -> str:
    """Return the fingerprint of ``core.sms_status``."""
    [total] = con.execute(f"select fingerprint({_CONTENT}) from core_sms_status").fetchone()
    # null where the table is empty
    return total or "0" * 32


class _Fingerprint:
    """Aggregate: the sums of the digests of texts, in any order."""

    def __init__(self) -> None:
        self._low, self._high = 0, 0

    def step(self, text: str) -> None:
        digest = md5(_as_duckdb_writes(text).encode(), usedforsecurity=False).digest()
        self._low += int.from_bytes(digest[8:], "little")
        self._high += int.from_bytes(digest[:8], "little")

    def finalize(self) -> str:
        return f"{self._high % _WRAP:016x}{self._low % _WRAP:016x}"


def _as_duckdb_writes(text: str) -> str:
    """Return JSON with the digits of its escapes in capitals."""
    if "\\u00" not in text:
        return text
    return _ESCAPE.sub(lambda match: f"\\u00{match[1].upper()}" if match[1] else match[0], text)
