"""What the warehouse says of itself: ledgers and registries, checked by the SQL below ``checks/``.

views.sql                                   macros and views for the others
files, rebuild_changes, ledger,             contradictions within the warehouse: a row for each
sends_ledger, settings                      finding, of place, kind and sentence
totals, send_counts                         contradictions to the recount
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from contract.settings import Settings
from pipelines.verify.findings import Findings
from pipelines.verify.reference import reference_version

CHECKS = Path(__file__).parent / "checks"
_WITHIN = ("files", "rebuild_changes", "ledger", "sends_ledger", "settings")


def prepare(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Make what the checks read: their views, and the settings of this recount as variables."""
    con.execute(_sql("views"))
    for name, value in {
        "reference_version": reference_version(),
        "provider_timezone": settings.provider_timezone,
        "sends_timezone": settings.sends_timezone,
    }.items():
        con.execute(f"set variable {name} = ?", [value])


def compare_books(con: duckdb.DuckDBPyConnection, findings: Findings) -> None:
    """Compare every ledger and registry with itself and the others."""
    for name in _WITHIN:
        _check(con, name, findings)


def compare_totals(
    con: duckdb.DuckDBPyConnection, totals: Iterable[tuple[str, str, object]], findings: Findings
) -> None:
    """Compare the newest runs with totals of the recount: ledger, name, value."""
    con.execute(
        "create or replace temp table recounted (place varchar, name varchar, counted varchar)"
    )
    for total in totals:
        con.execute("insert into recounted values (?, ?, ?)", total)
    _check(con, "totals", findings)


def compare_send_files(
    con: duckdb.DuckDBPyConnection, counts: Iterable[tuple[str, int, int]], findings: Findings
) -> None:
    """Compare each file of the send log with its rows: name, rows received, rows rejected."""
    con.execute("create temp table recounted_file (file varchar, received bigint, rejected bigint)")
    for count in counts:
        con.execute("insert into recounted_file values (?, ?, ?)", count)
    _check(con, "send_counts", findings)


def _check(con: duckdb.DuckDBPyConnection, name: str, findings: Findings) -> None:
    for place, kind, sentence in con.execute(_sql(name)).fetchall():
        findings.add(place, sentence, kind)


def _sql(name: str) -> str:
    return (CHECKS / f"{name}.sql").read_text(encoding="utf-8")
