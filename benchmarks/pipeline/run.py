"""Runs systems as processes of their own, and histories that grow."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks.pipeline.data import FIRST_DAY, Stretch, land_stretch
from benchmarks.pipeline.outcome import Outcome, hear

PRODUCT, LOADING = "product", "loading"
NEW_RECORDS = 100_000
_FIRST_SID = 10**15


class RunError(Exception):
    """A system failed; the message names it and its last words."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What the same new records cost on one history."""

    history: str
    """What was there before."""
    outcomes: list[Outcome]
    """One an increment, each with other new records."""

    @property
    def seconds(self) -> float:
        """Median seconds of the increments."""
        return median(each.seconds for each in self.outcomes)

    @property
    def cpu_seconds(self) -> float:
        """Median CPU seconds of the increments."""
        return median(each.cpu_seconds for each in self.outcomes)


def run_system(system: str, *words: str) -> Outcome:
    """Run one system in a new process; raises RunError."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DLR_")}
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", f"benchmarks.pipeline.systems.{system}", *words],
        env=inherited,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RunError(f"{system} failed: {done.stderr.strip()[-400:]}")
    return hear(done.stdout)


def run_once(system: str, landed: Path, work: Path, *words: str) -> Outcome:
    """Run a system over landed files from nothing; what it writes is thrown away."""
    with _empty(work) as folder:
        if system not in (PRODUCT, LOADING):
            return run_system(system, str(landed), str(folder))
        # Hard links: a data folder of its own without copying what was landed.
        for name in ("landing", "sends"):
            if (landed / name).exists():
                shutil.copytree(landed / name, folder / name, copy_function=os.link)
        return run_system(system, str(folder), *words)


@contextmanager
def _empty(work: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=work) as folder:
        yield Path(folder)


def grow_history(
    work: Path, sizes: Sequence[int], increments: int, *, with_sends: bool
) -> Iterator[Growth]:
    """Measure the same new records after ever longer histories of a million a day."""
    with _empty(work) as data:
        held, days = 0, 0
        for size in sizes:
            while held < size:
                part = min(1_000_000, size - held)
                begin = FIRST_DAY + timedelta(days=days)
                day = Stretch(part, _FIRST_SID + held, begin, begin + _hours(24))
                land_stretch(day, data, with_sends=with_sends)
                held, days = held + part, days + 1
            run_system(PRODUCT, str(data))
            outcomes = []
            for _ in range(increments):
                begin = FIRST_DAY + timedelta(days=days)
                new = Stretch(NEW_RECORDS, _FIRST_SID + held, begin, begin + _hours(1))
                outcomes.append(_take(data, new, with_sends=with_sends))
                held, days = held + NEW_RECORDS, days + 1
            yield Growth(f"{size:,} records", outcomes)


def grow_day(
    work: Path, sizes: Sequence[int], increments: int, *, spread: bool, with_sends: bool
) -> Iterator[Growth]:
    """Measure new records of a day that holds more or fewer already.

    ``spread`` has their events lie all over the day, reported late; else in its last hours, as
    they come when nothing is late.
    """
    for size in sizes:
        with _empty(work) as data:
            filled = FIRST_DAY + _hours(18)
            day = Stretch(size, _FIRST_SID, FIRST_DAY, filled)
            land_stretch(day, data, with_sends=with_sends)
            run_system(PRODUCT, str(data))
            outcomes = []
            for number in range(increments):
                sid = _FIRST_SID + size + number * NEW_RECORDS
                if spread:
                    new = Stretch(NEW_RECORDS, sid, FIRST_DAY, filled, _hours(19 + number))
                else:
                    new = Stretch(NEW_RECORDS, sid, *_last_hours(number))
                outcomes.append(_take(data, new, with_sends=with_sends))
            yield Growth(f"a day of {size:,}", outcomes)


def _take(data: Path, new: Stretch, *, with_sends: bool) -> Outcome:
    land_stretch(new, data, with_sends=with_sends)
    return run_system(PRODUCT, str(data))


def _last_hours(number: int) -> tuple[datetime, datetime]:
    begin = FIRST_DAY + _hours(18 + number)
    return begin, begin + _hours(1)


def _hours(number: float) -> timedelta:
    return timedelta(hours=number)
