"""`dlr report`: figures and charts as one HTML file, for use without a network."""

import argparse
from pathlib import Path

from cli.common import add_day, counted
from cli.published import open_published
from contract.settings import load_settings
from pipelines.models import define_functions
from pipelines.publish.report.figures import Figures
from pipelines.publish.report.store import make_report, write_page


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which days, and where to."""
    add_day(parser, "--from", "first day, UTC (six days before the last)", "from_day")
    add_day(parser, "--to", "last day, UTC, inclusive (day of the latest reception)", "to_day")
    parser.add_argument(
        "--output", type=Path, default=Path("report.html"), help="file to write (report.html)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the report of the published database."""
    with open_published(load_settings()) as con:
        define_functions(con)
        figures, page = make_report(con, arguments.from_day, arguments.to_day)
    write_page(arguments.output.absolute(), page)
    print(summary(figures, arguments.output))
    return 0


def summary(figures: Figures, output: Path) -> str:
    """What was written, in a sentence."""
    period = figures["period"]
    if period is None:
        return f"Wrote {output}: nothing has been received yet."
    reported = (figures["headline"].get("now") or {}).get("reports") or 0
    days = f"{period['first_day']} to {period['last_day']}"
    return f"Wrote {output}: {counted(reported, 'message')} reported from {days} (UTC)."
