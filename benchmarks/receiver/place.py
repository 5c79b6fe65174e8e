"""Where a benchmark works: a folder on a real disk, and the programs it needs."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.receiver.systems import EXPRESS, System

EXPRESS_PACKAGE = "express@5.3.0"
_IN_MEMORY = ("tmpfs", "ramfs", "overlay-tmpfs")
_CREATIONS = 200
_APP = Path(__file__).parent / "peers" / "express_app.js"


class PlaceError(Exception):
    """Something is missing; the message is one sentence with what to do."""


def check_needs(systems: Sequence[System]) -> None:
    """Raise PlaceError for the first program or package that is not installed."""
    for program in ("wrk", *(each for system in systems for each in system.programs)):
        if not shutil.which(program):
            raise PlaceError(f"{program} is not in PATH: install it with the system's packages.")
    for module in ("matplotlib", *(each for system in systems for each in system.modules)):
        if importlib.util.find_spec(module) is None:
            raise PlaceError(f"{module} is not installed: pip install -e '.[pipelines,bench]'.")


@contextlib.contextmanager
def work_folder(parent: Path) -> Iterator[Path]:
    """Lend a new folder below ``parent``, removed afterwards.

    Raises PlaceError where there is no such folder, or where it is in memory.
    """
    if not parent.is_dir():
        raise PlaceError(f"{parent} is no folder: name one on a disk with --data-dir.")
    if file_system(parent) in _IN_MEMORY:
        raise PlaceError(f"{parent} is in memory: name a folder on a disk with --data-dir.")
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=parent) as folder:
        yield Path(folder)


def file_system(folder: Path) -> str:
    """Return the type of the file system that holds ``folder``, as mounts(5) names it."""
    kind, longest = "unknown", -1
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, found = line.split()[:3]
        if folder.resolve().is_relative_to(mount) and len(mount) >= longest:
            kind, longest = found, len(mount)
    return kind


def install_express(folder: Path) -> None:
    """Install Express below ``folder`` with npm, and the app beside it; raises PlaceError."""
    shutil.copy(_APP, folder)
    quiet = ["--silent", "--no-audit", "--no-fund"]
    done = subprocess.run(  # noqa: S603  our own command
        ["npm", "install", *quiet, "--prefix", folder, EXPRESS_PACKAGE],  # noqa: S607  found in PATH
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        output = (done.stderr or done.stdout).strip()[-500:]
        raise PlaceError(f"npm could not install {EXPRESS_PACKAGE} ({output}): try again online.")


@contextlib.contextmanager
def run_folder(work: Path, system: System) -> Iterator[Path]:
    """Lend a folder for one run, then empty its files and wait until the disk is quiet again.

    They go with the work folder: ext4 without a journal leaves the inodes of deleted files alone
    for minutes and passes over each of them at every creation, which would cost the next runs
    more than their syncs do.
    """
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=work))
    if system is EXPRESS:
        # node looks for packages in the folders above the program.
        shutil.copy(work / _APP.name, folder)
    try:
        yield folder
    finally:
        for file in folder.rglob("*"):
            if file.is_file():
                os.truncate(file, 0)
        os.sync()


def creation_us(work: Path) -> float:
    """Return the median microseconds to create a file below ``work``; they go with it."""
    folder = Path(tempfile.mkdtemp(dir=work))
    times_s = []
    for number in range(_CREATIONS):
        began = time.perf_counter()
        (folder / f"{number}").touch(exist_ok=False)
        times_s.append(time.perf_counter() - began)
    return 1e6 * median(times_s)
