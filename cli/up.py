"""`dlr up`: receiver and Dagster together in one terminal, until Ctrl-C."""

import argparse
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from cli.common import CommandError
from contract.settings import Settings, load_settings
from pipelines.runs.home import prepare_instance

_GRACE_S = 30.0
_START_S = 120.0
_PR_SET_PDEATHSIG = 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where the UI listens."""
    parser.add_argument(
        "--ui-port", type=int, default=3000, help="port of the Dagster UI on 127.0.0.1 (3000)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Start both, wait, stop both; exits 1 if one of them exited by itself."""
    settings = load_settings()
    if not settings.push_tokens:
        raise CommandError("DLR_PUSH_TOKENS is not set; the receiver needs at least one token.")
    if settings.port == 0:
        raise CommandError("DLR_BIND must name a port other than 0.")
    _expect_free(arguments.ui_port)
    home = prepare_instance(settings)
    stop = _stop_requested()
    children = {
        "receiver": _start([sys.executable, "-m", "ingest.server"]),
        "dagster": _start(_dagster_command(arguments.ui_port), home / "dagster.log"),
    }
    try:
        _wait_until_up(children, settings, arguments.ui_port, stop)
        while not stop() and all(child.poll() is None for child in children.values()):
            time.sleep(0.2)
        ended = [name for name, child in children.items() if child.poll() is not None]
    finally:
        _stop(children)
    if ended:
        print(f"dlr: {ended[0]} exited unexpectedly; everything has been stopped.", file=sys.stderr)
        return 1
    print("Stopped.")
    return 0


def _expect_free(port: int) -> None:
    """Raise CommandError where the port of the UI cannot be bound."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise CommandError(
            f"Cannot use port {port} on 127.0.0.1: {error.strerror}. Choose another with --ui-port."
        ) from error


def _stop_requested() -> Callable[[], bool]:
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        """Note that a signal came; a handler does no more."""
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)
    return lambda: bool(asked)


def _dagster_command(ui_port: int) -> list[str]:
    where = ["-h", "127.0.0.1", "-p", str(ui_port)]
    quiet = ["--log-level", "warning"]
    return [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions", *where, *quiet]


def _start(command: list[str], log: Path | None = None) -> subprocess.Popen[bytes]:
    """Start in a session of its own, so that Ctrl-C reaches us alone."""
    # truncated at each start: older logs of runs are in Dagster's history
    output = log.open("wb") if log else None
    try:
        return subprocess.Popen(  # noqa: S603  our own command
            command,
            start_new_session=True,
            preexec_fn=_stop_with_parent,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
    finally:
        if output:
            output.close()


def _stop_with_parent() -> None:
    """Have Linux interrupt this process should `dlr up` itself be killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _wait_until_up(
    children: dict[str, subprocess.Popen[bytes]],
    settings: Settings,
    ui_port: int,
    stop: Callable[[], bool],
) -> None:
    host = settings.host if settings.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    urls = {
        "receiver": f"http://{host}:{settings.port}/healthz",
        "dagster": f"http://127.0.0.1:{ui_port}/server_info",
    }
    deadline = time.monotonic() + _START_S
    while not stop() and time.monotonic() < deadline:
        if any(child.poll() is not None for child in children.values()):
            return  # the caller says which
        if all(_answers(url) for url in urls.values()):
            print(f"Push URL    http://{host}:{settings.port}/yunpian/status/<token>")
            print(f"Dagster UI  http://127.0.0.1:{ui_port}")
            print(f"Data        {settings.data.absolute()}")
            print("Ctrl-C stops both.", flush=True)
            return
        time.sleep(0.3)
    if not stop():
        log = settings.data.absolute() / "dagster" / "dagster.log"
        raise CommandError(f"No answer after {_START_S:g} s; see {log}.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310  our own http URL
            return True
    except (urllib.error.URLError, OSError):
        return False


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask both to stop; after the grace period their process groups are killed."""
    for name, child in children.items():
        if child.poll() is None:
            child.send_signal(signal.SIGINT if name == "dagster" else signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_S
    for child in children.values():
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
