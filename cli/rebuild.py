"""`dlr rebuild`: make the warehouse anew from the landed files, as a whole or from a day on."""

import argparse
import secrets
from datetime import date

from rich.console import Console

from cli.bars import progress_bar
from cli.instance import private_files
from contract.settings import load_settings
from pipelines.load.changes import Change
from pipelines.runs.rebuild import Rebuilt, rebuild, rebuild_from


def add_options(parser: argparse.ArgumentParser) -> None:
    """How far back."""
    parser.add_argument(
        "--from",
        dest="day",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="take only the landing days (UTC) from this one on again, in place; messages reported "
        "only before, and how earlier pushes were decoded, stay as they were",
    )


def run(arguments: argparse.Namespace) -> int:
    """Rebuild, compare the fingerprints, say what moved."""
    private_files()
    settings = load_settings()
    run_id = f"rebuild-{secrets.token_hex(4)}"
    with progress_bar(Console(stderr=True), "Rebuilding from landed files") as advance:
        if arguments.day:
            done = rebuild_from(settings, run_id, arguments.day, advance)
        else:
            done = rebuild(settings, run_id, advance)
    if arguments.day and not done.loaded.files:
        print(f"No file landed on {arguments.day} (UTC) or later; nothing was taken again.")
        return 0
    print(summary(done))
    print("\n".join(moved(done.changes)))
    return 0


def moved(changes: list[Change] | None) -> list[str]:
    """What moved from what to what, as a table."""
    if changes is None:
        return []
    if not changes:
        return ["No message moved to another category, country, operator, time or outcome."]
    rows = [("what", "before", "after", "rows")]
    rows += [(one.what, one.before or "-", one.after or "-", f"{one.rows:,}") for one in changes]
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    return [
        "  ".join(
            cell.rjust(width) if n == 3 else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def summary(done: Rebuilt) -> str:
    """What came out, and whether it is what was there."""
    if done.after is None:
        return "There is no landed file; the warehouse is empty."
    after = done.after
    lines = [
        f"Rebuilt from {after['files']:,} files: {after['records']:,} records, "
        f"{after['messages']:,} messages, {after['rejected']:,} rejected. Ledger balanced; "
        "published.",
        f"fingerprint {after['fingerprint']}",
    ]
    if done.before is None:
        lines.append("There was no earlier warehouse that could be read, to compare with.")
    elif done.before["fingerprint"] == after["fingerprint"]:
        lines.append("The same as before.")
    else:
        lines.append(f"Before it was {done.before['fingerprint']}: {_why(done.before, after)}.")
    return "\n".join(lines)


def _why(before: dict[str, object], after: dict[str, object]) -> str:
    reasons = [
        text
        for name, text in {
            "total_records": "the landed files hold more or fewer records",
            "provider_timezone": "DLR_PROVIDER_TIMEZONE was changed",
            "reference_version": "the reference data was changed",
        }.items()
        if before[name] != after[name]
    ]
    return ", ".join(reasons) or "the old warehouse did not hold what the landed files say"
