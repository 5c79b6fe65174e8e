"""What landed files cost for years: ``python -m benchmarks.landing``, some ten minutes.

    closed days     a file each, as compaction leaves them
    hours           of one-push files, taken in and compacted by what a run does
    open files      of this hour, before they are compacted

Prints how many files, bytes and inodes are left, CPU seconds of compaction and of a tick of the
sensor, which is what the service does every minute for years.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from contract.envelope import Envelope
from contract.settings import Settings, load_settings
from pipelines.landing import closed_partitions
from pipelines.landing.compaction import compact, compact_gradually
from pipelines.load.load import load
from pipelines.load.marts import refresh_marts
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.publish import publish
from pipelines.runs.sensors import reason_to_run

_TICKS = 9
_TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
_RECORD = (
    "sms_status=%5B%7B%22sid%22%3A{sid}%2C%22uid%22%3A%22abc%22%2C%22mobile%22%3A%2215205201314%22"
    "%2C%22report_status%22%3A%22SUCCESS%22%2C%22user_receive_time%22%3A%222026-03-02+15%3A59%3A57"
    "%22%2C%22error_msg%22%3A%22DELIVRD%22%2C%22error_detail%22%3A%22DELIVRD%22%7D%5D"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How much is landed."""

    closed_days: int = 365
    hours: int = 2
    files_an_hour: int = 72_000
    open_files: int = 20_000


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder takes of its disk."""

    files: int
    size_bytes: int
    disk_bytes: int
    """Blocks that are allocated; a small file takes a whole one."""


@dataclass(slots=True)
class Figures:
    """What was measured; CPU in seconds."""

    hours_before: Folder
    hours_after: Folder
    day_after: Folder
    loading_cpu_s_per_10000: float
    """Of a run that takes one-push files in, for comparison."""
    compacting_cpu_s_per_10000: float
    folding_cpu_s_per_10000: float
    """Of the hours into their day, by original file."""
    tick_files: int
    """Open files at the tick."""
    tick_cpu_s: float


def main() -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data-dir", type=Path, help="where to land; else a temporary folder")
    for name, default in asdict(Shape()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default)
    words = vars(parser.parse_args())
    with tempfile.TemporaryDirectory(dir=words.pop("data_dir")) as folder:
        figures = measure(Path(folder) / "data", Shape(**words))
    print(json.dumps(asdict(figures), indent=1))  # noqa: T201  a command prints
    return 0


def measure(data: Path, shape: Shape) -> Figures:
    """Land it all in a new data folder, and measure."""
    settings = load_settings(data=data, _env_file=None)
    # a folder is closed a minute after its last change
    with patch.object(closed_partitions, "_SETTLED_NS", 0):
        _close_days(settings, shape.closed_days)
        return _measure(settings, shape)


def _close_days(settings: Settings, days: int) -> None:
    """Make finished days, each in one compacted file, and close them."""
    for number in range(days):
        _land(settings, _TODAY - timedelta(days=5 + number), number, 1, 1.0)
    _run(settings)
    compact(settings, _TODAY.date() - timedelta(days=4))
    _run(settings)


def _measure(settings: Settings, shape: Shape) -> Figures:
    yesterday = _TODAY - timedelta(days=1)
    for hour in range(shape.hours):
        first = 10**6 + hour * shape.files_an_hour
        _land(settings, yesterday + timedelta(hours=hour), first, shape.files_an_hour, 3600.0)
    day = settings.landing / "yunpian" / f"{yesterday:%Y-%m-%d}"
    folders = [_folder(day)]
    cpu_s = []
    for step in (_run, _compact_hours, lambda settings: compact(settings, _TODAY.date())):
        started = time.process_time()
        step(settings)
        cpu_s.append(time.process_time() - started)
        folders.append(_folder(day))
    seconds = min(3600.0, (datetime.now(UTC) - _TODAY).total_seconds())
    _land(settings, _TODAY, 10**9, shape.open_files, seconds)
    _run(settings)
    per_10000 = 10_000 / shape.hours / shape.files_an_hour
    loading, compacting, folding = (round(each * per_10000, 2) for each in cpu_s)
    _, before, after, folded = folders
    tick_s = round(_tick_cpu_s(settings), 3)
    return Figures(before, after, folded, loading, compacting, folding, shape.open_files, tick_s)


def _land(settings: Settings, at: datetime, first: int, files: int, seconds: float) -> None:
    """Land files of one push each, evenly over some seconds."""
    folder = settings.landing / "yunpian" / f"{at:%Y-%m-%d}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in range(files):
        moment = at + timedelta(seconds=seconds * number / files)
        body = _RECORD.format(sid=first + number).encode()
        push_id = f"{first + number:014x}-benchmark"
        line = Envelope(push_id, moment, "192.0.2.7", "", body).to_line()
        name = f"{moment:%Y%m%dT%H%M%S.%fZ}-benchmark{number % 10:07d}.jsonl"
        (folder / name).write_bytes(line)


def _run(settings: Settings) -> None:
    """What the job does, without compaction."""
    with open_warehouse(settings) as con:
        load(con, settings, f"run-{time.time_ns()}")
        refresh_marts(con)
        publish(con, settings)
        load(con, settings, "closes days")


def _compact_hours(settings: Settings) -> None:
    """What the runs do until no hour is left to compact."""
    with open_warehouse(settings) as con:
        listing = load(con, settings, "none").listing
        while listing and compact_gradually(con, settings, listing).folders:
            listing = load(con, settings, "none").listing


def _tick_cpu_s(settings: Settings) -> float:
    """CPU seconds of a look whether there is anything to do; there is not."""
    ticks = []
    with patch.dict(os.environ, {"DLR_DATA": str(settings.data)}):
        for _ in range(_TICKS):
            started = time.process_time()
            reason = reason_to_run()
            ticks.append(time.process_time() - started)
            if reason:
                raise RuntimeError(f"Nothing should be pending, but there are {reason}.")
    return statistics.median(ticks)


def _folder(path: Path) -> Folder:
    infos = [entry.stat() for entry in os.scandir(path)]
    return Folder(
        len(infos), sum(info.st_size for info in infos), sum(512 * info.st_blocks for info in infos)
    )


if __name__ == "__main__":
    raise SystemExit(main())
