"""`dlr compact`: put the landed files of finished days together, one compressed file a day."""

import argparse
from datetime import UTC, date, datetime, timedelta

from rich.console import Console

from cli.bars import progress_bar
from cli.instance import CommandError, private_files
from contract.settings import Settings, load_settings
from pipelines.landing.compaction import Compaction, compact


def add_options(parser: argparse.ArgumentParser) -> None:
    """How far."""
    parser.add_argument(
        "--before",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="landing days before this one (UTC); by default those older than "
        "DLR_COMPACT_AFTER_DAYS",
    )


def run(arguments: argparse.Namespace) -> int:
    """Compact and say what came of it; exits 1 where landed bytes differ from what was taken."""
    private_files()
    settings = load_settings()
    with progress_bar(Console(stderr=True), "Compacting landed files") as advance:
        done = compact(settings, arguments.before or _default(settings), advance)
    print("\n".join(lines(done)))
    return 1 if done.differing else 0


def _default(settings: Settings) -> date:
    if settings.compact_after_days == 0:
        raise CommandError("DLR_COMPACT_AFTER_DAYS is 0; say with --before which days are meant.")
    return datetime.now(UTC).date() - timedelta(days=settings.compact_after_days)


def lines(done: Compaction) -> list[str]:
    """What was put together, and what was left alone."""
    out = ["No landed file to compact."]
    if done.files:
        out = [
            f"Compacted {done.files:,} files of {done.days:,} day(s): "
            f"{done.bytes_before / 1e6:,.1f} MB became {done.bytes_after / 1e6:,.1f} MB."
        ]
    if done.waiting:
        out.append(
            f"{len(done.waiting):,} day(s) were left alone: files in them are pending (`dlr run`)."
        )
    out += [
        f"{name} was left alone: its bytes are not those that were taken in (`dlr verify`)."
        for name in done.differing
    ]
    return out
