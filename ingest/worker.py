"""One of several receivers behind a port: ``python -m ingest.worker FD SIBLINGS NUMBER``.

Started by ``ingest.workers``, which has bound the port (FD) and says how many share it and
which of them this one is.
"""

import os
import signal
import socket
import sys
import threading

from contract.settings import load_settings
from ingest.figures import keep_figures_as
from ingest.server import serve_on
from ingest.start import run_logged


def main() -> int:
    """Serve until asked to stop, or until the supervisor is gone."""
    descriptor, siblings, number = (int(word) for word in sys.argv[1:])
    keep_figures_as(number)
    threading.Thread(target=_stop_with_supervisor, daemon=True).start()
    with socket.socket(fileno=descriptor) as listener:
        return run_logged(lambda: serve_on(listener, load_settings(), siblings=siblings))


def _stop_with_supervisor() -> None:
    """Wait for the end of the pipe that only the supervisor holds."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
