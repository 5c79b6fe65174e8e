"""`dlr report`: one HTML file with figures and charts of some days, for use without a network."""

import argparse
from datetime import date
from pathlib import Path

import duckdb

from cli.instance import private_files, published_database
from contract.settings import load_settings
from pipelines.models import define_functions
from pipelines.publish import report


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which days, and where to."""
    for name, meaning in (
        ("--from", "first day, UTC (six days before the last)"),
        ("--to", "last day, UTC, itself included (that of the latest reception)"),
    ):
        parser.add_argument(
            name,
            dest=f"{name[2:]}_day",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help=meaning,
        )
    parser.add_argument(
        "--output", type=Path, default=Path("report.html"), help="the file (report.html)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the report of the published database."""
    private_files()
    with duckdb.connect(published_database(load_settings()), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        define_functions(con)
        period = report.choose_period(con, arguments.from_day, arguments.to_day)
        figures, page = report.make_report(con, period)
    report.write_page(arguments.output.absolute(), page)
    print(summary(figures, arguments.output))
    return 0


def summary(figures: report.Figures, output: Path) -> str:
    """What was written, in a sentence."""
    period = figures["period"]
    if period is None:
        return f"Wrote {output}: nothing was received yet."
    now = figures["headline"].get("now") or {"reports": 0}
    days = f"{period['first_day']} to {period['last_day']}"
    return f"Wrote {output}: {now['reports'] or 0:,} messages reported, {days}, UTC."
