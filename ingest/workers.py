"""Several receivers behind one port: a supervisor that starts, watches and stops them.

Each is a process of its own that lands into the same folder, as receivers on other machines may.
They share nothing but the port and the metrics.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from contract.settings import Settings, load_settings
from ingest.figures import FOLDER_VARIABLE, figures_folder
from ingest.logs import log_event
from ingest.start import UNREADY_FIRST_S, announce, listen, require_token, run_logged

STOP_TIMEOUT_S = 25.0
"""For the grace period and the last writes of a receiver; then it is killed."""
RESTART_AFTER_S = 1.0
"""A receiver that exited is restarted, at the earliest this long after its last start."""
_POLL_INTERVAL_S = 0.1


def serve(settings: Settings, workers: int) -> int:
    """Run receivers until SIGTERM or SIGINT; return the exit code."""
    return run_logged(lambda: _serve(settings, workers))


def _serve(settings: Settings, workers: int) -> int:
    require_token(settings)
    with (
        contextlib.closing(listen(settings)) as listener,
        figures_folder(workers) as figures,
    ):
        return _Supervisor(settings, listener, figures, workers).run()


class _Supervisor:
    """Holds the port and the processes."""

    def __init__(
        self, settings: Settings, listener: socket.socket, figures: Path, workers: int
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._figures = figures
        self._workers = workers
        self._running: dict[subprocess.Popen[bytes], tuple[int, float]] = {}
        """Processes, the number of each, and when it was started (``monotonic``)."""
        self._is_stopping = False

    def run(self) -> int:
        """Start all, watch until asked to stop, stop all; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            # One by one: what keeps the first from starting is reported once.
            if not all(self._start_and_wait(number) for number in range(self._workers)):
                return 1
            announce(self._listener, self._settings)
            while not self._is_stopping:
                self._replace_ended()
                time.sleep(_POLL_INTERVAL_S)
        finally:
            is_clean = self._stop()
        return 0 if is_clean else 1

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        """Start a receiver on our port, in a session of its own: Ctrl-C reaches us alone."""
        descriptor = self._listener.fileno()
        process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "ingest.worker", *map(str, (descriptor, self._workers, number))],
            pass_fds=[descriptor],
            env=os.environ | {FOLDER_VARIABLE: str(self._figures)},
            stdin=subprocess.PIPE,  # closing it tells the receiver that we are gone
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._running[process] = (number, time.monotonic())
        return process

    def _start_and_wait(self, number: int) -> bool:
        """Return whether a new receiver got as far as announcing itself."""
        process = self._start(number)
        return bool(process.stdout and process.stdout.readline())

    def _replace_ended(self) -> None:
        for process, (number, started) in list(self._running.items()):
            is_ended = process.poll() is not None
            if is_ended and time.monotonic() - started > RESTART_AFTER_S:
                log_event("worker_ended", pid=process.pid, exit_code=process.returncode)
                self._forget(process)
                self._start(number)

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        """Release what is kept for a process that ended; its successor continues its figures."""
        del self._running[process]
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()

    def _stop(self) -> bool:
        """Ask all to stop and wait; return whether all did so in good order."""
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in self._running:
            process.terminate()
        # Once every worker has closed the port, new connections must be refused. As long as we
        # hold it, they would wait in its queue and be reset at the end.
        time.sleep(UNREADY_FIRST_S)
        self._listener.close()
        codes = [_wait_until(process, deadline) for process in self._running]
        for process in list(self._running):
            self._forget(process)
        log_event("workers_stopped", exit_codes=codes)
        # One that was still starting dies of the signal: it has accepted nothing yet.
        return all(code in (0, -signal.SIGTERM) for code in codes)


def _wait_until(process: subprocess.Popen[bytes], deadline: float) -> int:
    try:
        return process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def main() -> int:
    """Serve with the settings of the environment: ``python -m ingest.workers N``."""
    return run_logged(lambda: _serve(load_settings(), int(sys.argv[1])))


if __name__ == "__main__":
    sys.exit(main())
