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
from contextlib import nullcontext, suppress
from pathlib import Path

from cli.common import CommandError
from contract.settings import Settings, load_settings
from pipelines.runs.home import prepare_instance

_GRACE_S = 30.0
_START_S = 120.0
_PR_SET_PDEATHSIG = 1

Children = dict[str, subprocess.Popen[bytes]]


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
    ui_port = arguments.ui_port
    _expect_free(ui_port)
    home = prepare_instance(settings)
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: signals.append(number))
    dagster = f"dagster dev -m pipelines.definitions -h 127.0.0.1 -p {ui_port} --log-level warning"
    children = {
        "receiver": _start(["ingest.server"]),
        "dagster": _start(dagster.split(), home / "dagster.log"),
    }
    try:
        _wait_until_up(children, settings, ui_port, signals)
        while not signals and not _exited(children):
            time.sleep(0.2)
        exited = _exited(children)
    finally:
        _stop(children)
    if exited:
        print(f"dlr: {exited[0]} exited unexpectedly; everything was stopped.", file=sys.stderr)
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


def _start(module: list[str], log: Path | None = None) -> subprocess.Popen[bytes]:
    """Run a module in a session of its own, so that Ctrl-C reaches only `dlr up`."""
    # the log starts anew each time: Dagster's history keeps those of the last days' runs
    with log.open("wb") if log else nullcontext() as output:
        return subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", *module],
            start_new_session=True,
            preexec_fn=_stop_with_parent,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )


def _exited(children: Children) -> list[str]:
    return [name for name, child in children.items() if child.poll() is not None]


def _stop_with_parent() -> None:
    """Have Linux interrupt this process should `dlr up` itself be killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _wait_until_up(
    children: Children, settings: Settings, ui_port: int, signals: list[int]
) -> None:
    """Return once both answer, one has exited or a signal came; raises CommandError if late."""
    host = settings.host if settings.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    receiver, ui = f"http://{host}:{settings.port}", f"http://127.0.0.1:{ui_port}"
    deadline = time.monotonic() + _START_S
    while not signals and not _exited(children):
        if _answers(f"{receiver}/healthz") and _answers(f"{ui}/server_info"):
            print(f"Push URL    {receiver}/yunpian/status/<token>")
            print(f"Dagster UI  {ui}")
            print(f"Data        {settings.data.absolute()}")
            print("Ctrl-C stops both.", flush=True)
            return
        if time.monotonic() > deadline:
            log = settings.data.absolute() / "dagster" / "dagster.log"
            raise CommandError(f"No answer after {_START_S:g} s; see {log}.")
        time.sleep(0.3)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310  our own http URL
            return True
    except (urllib.error.URLError, OSError):
        return False


def _stop(children: Children) -> None:
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
