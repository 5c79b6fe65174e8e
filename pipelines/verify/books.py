"""What the warehouse says of itself: ledgers and registries, checked by the SQL below ``checks/``.

views.sql                                   macros and views for the others
files, ledger, sends_ledger, settings,      contradictions within the warehouse: a row for each
publications, rebuild_changes               finding, of place, kind and sentence
totals, send_counts                         contradictions to the recount
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from contract.settings import Settings
from pipelines.verify.findings import Difference
from pipelines.verify.reference import reference_version

CHECKS = Path(__file__).parent / "checks"
_WITHIN = ("files", "rebuild_changes", "ledger", "sends_ledger", "settings", "publications")


def prepare(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Make what the checks read: their views, and the settings of this recount as variables."""
    con.execute(_sql("views"))
    for name, value in {
        "reference_version": reference_version(),
        "provider_timezone": settings.provider_timezone,
        "sends_timezone": settings.sends_timezone,
        "export_mobile": settings.export_mobile,
    }.items():
        con.execute(f"set variable {name} = ?", [value])


def compare_books(con: duckdb.DuckDBPyConnection) -> Iterator[Difference]:
    """Compare every ledger and registry with itself and the others."""
    for name in _WITHIN:
        yield from con.execute(_sql(name)).fetchall()


def compare_counts(
    con: duckdb.DuckDBPyConnection, check: str, counts: Iterable[tuple[str, str, object]]
) -> list[Difference]:
    """Compare what is booked with the recount: ledger or file, name of the count, value."""
    con.execute("set variable recounted = ?", [json.dumps(list(counts))])
    return con.execute(_sql(check)).fetchall()


def _sql(name: str) -> str:
    return (CHECKS / f"{name}.sql").read_text(encoding="utf-8")
