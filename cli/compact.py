"""`dlr compact`: compact landed files, one compressed file a finished day or hour."""

import argparse
from datetime import UTC, date, datetime, timedelta

from rich.filesize import decimal

from cli.common import CommandError, add_day, counted, progress_bar
from contract.settings import Settings, load_settings
from pipelines.landing.compaction import Compaction, compact


def add_options(parser: argparse.ArgumentParser) -> None:
    """How far."""
    add_day(
        parser,
        "--before",
        "compact landing days before this one (UTC) into a file each, by default those older than "
        "DLR_COMPACT_AFTER_DAYS; of later days, hours that are over and have many files",
    )


def run(arguments: argparse.Namespace) -> int:
    """Compact and report; exits 1 where landed bytes differ from those that were loaded."""
    settings = load_settings()
    with progress_bar("Compacting landed files") as advance:
        compaction = compact(settings, arguments.before or _default(settings), advance)
    print("\n".join(lines(compaction)))
    return 1 if compaction.differing else 0


def _default(settings: Settings) -> date:
    if settings.compact_after_days == 0:
        raise CommandError("DLR_COMPACT_AFTER_DAYS is 0; choose the days with --before.")
    return datetime.now(UTC).date() - timedelta(days=settings.compact_after_days)


def lines(compaction: Compaction) -> list[str]:
    """What was compacted, and what was skipped."""
    out = ["There are no landed files to compact."]
    kinds = {"file": compaction.files, "compacted file": compaction.containers}
    what = " and ".join(counted(number, kind) for kind, number in kinds.items() if number)
    if what:
        out = [
            f"Compacted {what} of {counted(compaction.days, 'day')} "
            f"from {decimal(compaction.bytes_before)} to {decimal(compaction.bytes_after)}."
        ]
    if compaction.waiting:
        days = counted(len(compaction.waiting), "day")
        out.append(f"Skipped {days} with pending files; `dlr run` loads them.")
    out += [
        f"Skipped {name} because its bytes differ from those that were loaded; see `dlr verify`."
        for name in compaction.differing
    ]
    return out
