"""The runs in progress, by what their processes leave: those that died, those that take too long.

$DLR_DATA/dagster/running/<run id>.pid    its process; removed when that ends in good order
$DLR_DATA/dagster/running/<run id>.cause  why the supervisor ended it, for the run's own log
"""

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path


class RunningRuns:
    """Notices what became of the runs of one data folder."""

    def __init__(self, home: Path, longest_s: float) -> None:
        self._folder = home / "running"
        self._longest_s = longest_s
        self._seen: dict[str, float] = {}
        """When each was seen first (``monotonic``, which no clock that is set can move)."""
        self._dead: set[str] = set()

    def died(self) -> list[str]:
        """Ids of runs whose process was killed, each once."""
        processes = dict(self._processes())
        new = [run for run, pid in processes.items() if not _exists(pid) and run not in self._dead]
        self._dead = {run for run in self._dead if run in processes} | set(new)
        return new

    def end_overdue(self, sessions: Collection[int]) -> list[str]:
        """Kill the runs of these sessions that took too long, stopped ones as well; return ids."""
        processes = dict(self._processes())
        now = time.monotonic()
        self._seen = {run: self._seen.get(run, now) for run in processes}
        overdue = [
            run
            for run, pid in processes.items()
            if now - self._seen[run] > self._longest_s and _session(pid) in sessions
        ]
        for run in overdue:
            self._end(run, processes[run])
        return overdue

    def _end(self, run: str, pid: int) -> None:
        cause = f"The run took longer than DLR_MAX_RUN_S ({self._longest_s:g} s) and was ended."
        with suppress(OSError):
            (self._folder / f"{run}.cause").write_text(cause, encoding="utf-8")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _processes(self) -> Iterator[tuple[str, int]]:
        for file in self._folder.glob("*.pid"):
            with suppress(OSError, ValueError):
                yield file.stem, int(file.read_text(encoding="ascii"))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # somebody else's
    return True


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
