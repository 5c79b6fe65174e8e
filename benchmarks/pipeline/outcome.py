"""What one run of one system gave; what the processes hand to each other."""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures of one run."""

    seconds: float
    """Of work: process start and imports apart."""
    cpu_seconds: float
    """Of all threads, in the same stretch: other load distorts it less."""
    messages: int
    """Distinct sids that were found; every system must find the same."""
    delivered: int
    """Of them, reported SUCCESS."""
    peak_bytes: int = 0
    """Peak resident memory of the process."""
    written_bytes: int = 0
    """Bytes below its work folder at the end."""


def stopwatch() -> Callable[[], tuple[float, float]]:
    """Begin to measure; the function returned gives the seconds since, on the wall and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    return lambda: (time.perf_counter() - wall, time.process_time() - cpu)


def tell(outcome: Outcome) -> None:
    """Print the outcome of this process as its last line."""
    sys.stdout.write(json.dumps(asdict(outcome)) + "\n")


def hear(output: str) -> Outcome:
    """Read what a process told."""
    return Outcome(**json.loads(output.strip().splitlines()[-1]))


def peak_bytes() -> int:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def written_bytes(folder: Path) -> int:
    """Bytes of all files below ``folder``, landed files apart."""
    return sum(
        path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and "landing" not in path.parts
    )
