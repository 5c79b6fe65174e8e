"""`dlr rebuild`: rebuild the warehouse from the landed files, all of it or from a day on."""

import argparse
import secrets
from collections.abc import Mapping
from typing import Any

from cli.common import accounted, add_day, counted, progress_bar
from contract.settings import load_settings
from pipelines.load.changes import Change
from pipelines.runs.rebuild import Rebuilt, rebuild, rebuild_from

_REASONS = {
    "total_records": "the landed files hold more or fewer records",
    "provider_timezone": "DLR_PROVIDER_TIMEZONE was changed",
    "reference_version": "the reference data was changed",
}
"""Columns of the ledger, and why the fingerprint moved where they differ."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """How far back."""
    add_day(
        parser,
        "--from",
        "re-ingest only the landing days (UTC) from this one on, in place; messages reported only "
        "before it stay as they are, and so does the way earlier pushes were decoded",
        "day",
    )


def run(arguments: argparse.Namespace) -> int:
    """Rebuild, compare the fingerprints, say what moved."""
    settings = load_settings()
    run_id = f"rebuild-{secrets.token_hex(4)}"
    with progress_bar("Rebuilding from landed files") as advance:
        if arguments.day:
            rebuilt = rebuild_from(settings, run_id, arguments.day, advance)
        else:
            rebuilt = rebuild(settings, run_id, advance)
    if arguments.day and not rebuilt.loaded.files:
        print(f"No file landed on {arguments.day} (UTC) or later; nothing was re-ingested.")
        return 0
    print(summary(rebuilt))
    print("\n".join(moved(rebuilt.changes)))
    return 0


def moved(changes: list[Change] | None) -> list[str]:
    """What moved from what to what, as a table."""
    if changes is None:
        return []
    if not changes:
        return ["No message moved to another category, country, operator, time or outcome."]
    rows = [("what", "before", "after", "rows")]
    rows += [(kind, old or "-", new or "-", f"{count:,}") for kind, old, new, count in changes]
    *names, last = (max(map(len, column)) for column in zip(*rows, strict=True))
    return ["  ".join([*map(str.ljust, cells, names), count.rjust(last)]) for *cells, count in rows]


def summary(rebuilt: Rebuilt) -> str:
    """What came out, and whether it is what was there before."""
    before: Mapping[str, Any] | None = rebuilt.before
    after: Mapping[str, Any] | None = rebuilt.after
    if after is None:
        return "There are no landed files; the warehouse is empty."
    if before is None:
        compared = "There was no readable earlier warehouse to compare with."
    elif before["fingerprint"] == after["fingerprint"]:
        compared = "The same as before."
    else:
        reasons = [text for name, text in _REASONS.items() if before[name] != after[name]]
        why = ", ".join(reasons) or "the old warehouse did not match the landed files"
        compared = f"Before it was {before['fingerprint']}: {why}."
    return (
        f"Rebuilt from {counted(after['files'], 'file')}, {accounted(after)}. "
        f"Ledger balanced; published.\nfingerprint {after['fingerprint']}\n{compared}"
    )
