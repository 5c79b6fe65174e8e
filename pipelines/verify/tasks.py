"""Steps of a verification that either of the two processes can take."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import date

import duckdb

from pipelines.verify.compare import Comparison
from pipelines.verify.database import compare_database
from pipelines.verify.findings import Findings, Place
from pipelines.verify.headers import read_tables
from pipelines.verify.landed import lies_in
from pipelines.verify.manifest import (
    DATABASE,
    MANIFEST,
    Publication,
    compare_manifest,
    read_manifest,
)
from pipelines.verify.pinned import Pinned, open_database
from pipelines.verify.recompute import recount_query, register
from pipelines.verify.report import compare_page
from pipelines.verify.scratch import Named, open_scratch

CORE, MARTS, DAY = "core.db", "marts.db", "day.db"
"""Scratch databases: of raw, core and ops; of the marts; of a single day. For a day, the first has
the tables as the warehouse has them."""
_OF_A_DAY = {
    "raw.pushes": ("accepted", "duplicates", "conflicts"),
    "raw.rejected_records": (),
    "ops.ledger_by_file": ("messages", "duplicates", "conflicts"),
}
"""Tables compared for one day, and columns that need all days."""


def open_tables(pinned: Pinned, name: str, *attached: str) -> sqlite3.Connection:
    """Open a scratch database, with the functions that its SQL calls."""
    con = open_scratch(pinned.folder / name, *(pinned.folder / other for other in attached))
    register(con, pinned.settings)
    return con


def compare_published(pinned: Pinned, publication: Publication) -> Findings:
    """Compare what is published with itself: manifest, files, database."""
    findings = Findings()
    try:
        manifest = read_manifest(pinned)
    except ValueError as error:
        findings.add(MANIFEST, f"the manifest cannot be read ({error}); `dlr run` replaces it.")
        return findings
    findings.add_all(compare_manifest(pinned, manifest, publication))
    try:
        with open_database(pinned, DATABASE) as con:
            findings.add_all(compare_database(con, pinned, manifest, publication))
    except duckdb.Error as error:
        kind = type(error).__name__
        findings.add(DATABASE, f"cannot be read ({kind}); `dlr run` replaces it.")
    return findings


def compare_shown(pinned: Pinned, names: Iterable[str]) -> Findings:
    """Compare tables and the report, as readers are given them, with what is expected."""
    findings = Findings()
    with closing(open_tables(pinned, MARTS, CORE)) as con:
        # compare_published reports what cannot be read
        with suppress(duckdb.Error), open_database(pinned, DATABASE) as duck:
            for name in names:
                Comparison(con, duck, read_tables()[name], findings, DATABASE).run()
        try:
            manifest = read_manifest(pinned)
        except ValueError:
            return findings
        for sentence in compare_page(con, manifest, pinned.copy("report.html")):
            findings.add("exports/report.html", sentence, sentence.partition(".")[0])
    return findings


def compare_day(
    pinned: Pinned, day: date, duck: duckdb.DuckDBPyConnection, findings: Findings
) -> None:
    """Compare what one day proves: pushes, rejects, and that their messages are there."""
    with closing(open_tables(pinned, DAY, CORE)) as con:
        pushes = {row[0] for row in con.execute("select push_id from push")}

        def is_of_day(row: Named) -> bool:
            return row.get("push_id") in pushes or lies_in(row.get("file"), day)

        for name, without in _OF_A_DAY.items():
            Comparison(con, duck, read_tables()[name], findings, without=without).run(is_of_day)
        for kind, sentence, *place in con.execute(recount_query("day_messages")):
            findings.add("core.sms_status", sentence, kind, Place(*place))
