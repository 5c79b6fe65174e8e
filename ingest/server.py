"""One receiver as a process: start, announce, serve, stop in good order."""

import contextlib
import resource
import signal
import socket
import sys
import time
from types import FrameType

import uvicorn

from contract.problems import service_folder
from contract.settings import Settings, load_settings
from ingest.access import Access
from ingest.app import create_app
from ingest.connections import CONNECTION_LIMIT
from ingest.folder import LandingFolder
from ingest.landing import IN_FLIGHT_LIMIT_BYTES, Landing
from ingest.logs import log_event
from ingest.metrics import Metrics
from ingest.start import (
    BACKLOG,
    UNREADY_FIRST_S,
    StartError,
    announce,
    landing_root,
    listen,
    require_token,
    run_logged,
)
from ingest.wire import LimitedProtocol

KEEP_ALIVE_S = 30
GRACE_S = 8
"""For requests in progress at shutdown; container platforms kill after 10 s by default."""
BODIES_IN_FLIGHT = 8
"""A body of the maximum size counts as up to seven: one received, six when escaped."""


def serve(settings: Settings) -> int:
    """Run the receiver until SIGTERM or SIGINT; return the exit code."""
    return run_logged(lambda: _serve(settings))


def _serve(settings: Settings) -> int:
    require_token(settings)
    with contextlib.closing(listen(settings)) as listener:
        return serve_on(listener, settings)


def serve_on(listener: socket.socket, settings: Settings, *, siblings: int = 1) -> int:
    """Serve a bound port, possibly shared with others; return the exit code.

    ``siblings`` receivers share the bound on bytes in flight. Raises StartError.
    """
    landing = _open_landing(settings, siblings)
    _Server(settings, landing).run(sockets=[listener])
    closed = landing.close()
    log_event("stopped", everything_written=closed)
    return 0 if closed else 1


class _Server(uvicorn.Server):
    """uvicorn that turns unready before it stops, and exits 0 when asked to stop."""

    def __init__(self, settings: Settings, landing: Landing) -> None:
        self._settings = settings
        self._landing = landing
        self._metrics = Metrics(landing, service_folder(settings.data))
        self._stop_requested_at = 0.0
        super().__init__(
            uvicorn.Config(
                create_app(settings, landing, self._metrics),
                http=LimitedProtocol.with_access(Access.from_settings(settings)),
                interface="asgi3",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Announce the URL, once signals are handled and connections accepted."""
        await super().startup(sockets)
        for listener in sockets or []:
            announce(listener, self._settings)

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Turn unready at the first signal, stop at once at a second SIGINT."""
        if not self._landing.accepting and sig == signal.SIGINT:
            self.should_exit = self.force_exit = True
        self._stop_requested_at = self._stop_requested_at or time.monotonic()
        self._landing.accepting = False

    async def on_tick(self, counter: int) -> bool:
        """Stop once `/readyz` has answered 503 for long enough."""
        self._metrics.refresh()
        if not self._landing.accepting:
            self._landing.hasten()
        if self._stop_requested_at and time.monotonic() - self._stop_requested_at > UNREADY_FIRST_S:
            self.should_exit = True
        return await super().on_tick(counter)


def _open_landing(settings: Settings, siblings: int) -> Landing:
    """Open the landing folder; raises StartError."""
    _allow_open_files()
    share_bytes = IN_FLIGHT_LIMIT_BYTES // siblings
    limit_bytes = max(share_bytes, BODIES_IN_FLIGHT * int(settings.max_body_bytes))
    folder = LandingFolder(landing_root(settings))
    linger_s = settings.linger_ms / 1000
    landing = Landing(folder, in_flight_limit_bytes=limit_bytes, linger_s=linger_s)
    try:
        for swept in landing.open():
            log_event("swept_aside", file=str(swept), size_bytes=swept.stat().st_size)
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise StartError(
            f"Cannot write to {folder.root}: {cause}. Make it writable, or set DLR_DATA."
        ) from error
    return landing


def _allow_open_files() -> None:
    """Raise the limit of open files, so that connections leave enough for the landing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTION_LIMIT
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> int:
    """Serve with the settings of the environment."""
    return run_logged(lambda: _serve(load_settings()))


if __name__ == "__main__":
    sys.exit(main())
