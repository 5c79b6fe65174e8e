"""Several receivers behind one port: a supervisor that starts, watches and stops them.

Each is a process of its own that lands into the same folder, as receivers on other machines may;
none of them knows of the others but by the metrics they show together.
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

from contract.settings import Settings, SettingsError, load_settings
from ingest.figures import FOLDER_VARIABLE, figures_folder
from ingest.logs import configure_logging, log_event
from ingest.start import UNREADY_FIRST_S, StartError, announce, listen, require_token

STOP_TIMEOUT_S = 25.0
"""For grace and the last writes of a receiver; after that it is killed."""
RESTART_AFTER_S = 1.0
"""A receiver that ended is started again, this long after its last start at the earliest."""
_LOOK_INTERVAL_S = 0.1


def serve(settings: Settings, workers: int) -> int:
    """Run receivers until SIGTERM or SIGINT; return the exit code.

    What keeps them from starting is said in one sentence on standard error, and is 1.
    """
    configure_logging()
    try:
        require_token(settings)
        with (
            contextlib.closing(listen(settings)) as listener,
            figures_folder(workers) as figures,
        ):
            return _Supervisor(settings, listener, figures, workers).run()
    except (SettingsError, StartError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


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
        self._is_told = False

    def run(self) -> int:
        """Start all, watch until told to stop, stop all; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            # One by one: what keeps the first from starting is said once.
            if not all(self._start_and_wait(number) for number in range(self._workers)):
                return 1
            announce(self._listener, self._settings)
            while not self._is_told:
                self._replace_ended()
                time.sleep(_LOOK_INTERVAL_S)
        finally:
            is_clean = self._stop()
        return 0 if is_clean else 1

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._is_told = True

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        """Start a receiver on our port, in a session of its own: Ctrl-C reaches us alone."""
        descriptor = self._listener.fileno()
        process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "ingest.worker", *map(str, (descriptor, self._workers, number))],
            pass_fds=[descriptor],
            env=os.environ | {FOLDER_VARIABLE: str(self._figures)},
            stdin=subprocess.PIPE,  # its end tells the receiver that we are gone
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._running[process] = (number, time.monotonic())
        return process

    def _start_and_wait(self, number: int) -> bool:
        """Tell whether a new receiver came as far as announcing itself."""
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
        """Release what is kept for a process that ended; the next one goes on with its figures."""
        del self._running[process]
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()

    def _stop(self) -> bool:
        """Ask all to stop and wait; tell whether all did so in good order."""
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in self._running:
            process.terminate()
        # what connects once all have closed the port must be refused, not kept waiting and reset
        time.sleep(UNREADY_FIRST_S)
        self._listener.close()
        codes = [_wait_until(process, deadline) for process in self._running]
        for process in list(self._running):
            self._forget(process)
        log_event("workers_stopped", exit_codes=codes)
        # One that was still starting dies of the signal: it has taken nothing yet.
        return all(code in (0, -signal.SIGTERM) for code in codes)


def _wait_until(process: subprocess.Popen[bytes], deadline: float) -> int:
    try:
        return process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def main() -> int:
    """Serve with the settings of the environment: ``python -m ingest.workers N``."""
    try:
        return serve(load_settings(), int(sys.argv[1]))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
