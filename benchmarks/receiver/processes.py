"""A server under test: started, watched through /proc with all its children, killed."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_START_S = 30.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KIB = 1024


class ServerError(Exception):
    """A server did not start or did not answer as agreed; the message says what it said."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a server's processes have used since they started."""

    cpu_s: float
    """User and system time, of children that have ended too."""
    rss_bytes: int
    """Resident now, shared pages counted once for each process."""
    peak_bytes: int
    """Most resident so far, each process at its own peak."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    port: int
    process: "subprocess.Popen[bytes]"

    def usage(self) -> Usage:
        """Add up the server's process and its descendants."""
        pids = _family(self.process.pid)
        memory = [_memory(pid) for pid in pids]
        return Usage(
            cpu_s=sum(map(_cpu_s, pids)),
            rss_bytes=sum(each.get("VmRSS", 0) for each in memory),
            peak_bytes=sum(each.get("VmHWM", 0) for each in memory),
        )


@contextlib.contextmanager
def running(
    command: list[str], env: Mapping[str, str], folder: Path, port: int
) -> Iterator[Server]:
    """Run ``command`` in ``folder`` until it listens, lend it, kill it with all its children.

    It is killed, not asked to stop: what it acknowledged must be there all the same. Raises
    ServerError where it does not come to listen.
    """
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  our own command
            command,
            cwd=folder,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_listening(process, port, log)
        yield Server(port, process)
    finally:
        _kill(_family(process.pid))
        process.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def expect_success(port: int, path: str, body: bytes) -> None:
    """Post one push; raises ServerError unless the answer is ``SUCCESS``."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_S)
    with contextlib.closing(connection):
        connection.request(
            "POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"}
        )
        answer = connection.getresponse()
        text = answer.read()
    if (answer.status, text) != (200, b"SUCCESS"):
        raise ServerError(f"A first push got {answer.status} {text[:200]!r}.")


def _wait_until_listening(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise ServerError(f"A server did not start: {log.read_text('utf-8', 'replace')[-1000:]}")


def _family(ancestor: int) -> list[int]:
    """Return a process and its living descendants, parents first."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            children.setdefault(int(_stat(int(folder.name))[1]), []).append(int(folder.name))
    family = [ancestor]
    for pid in family:
        family += children.get(pid, [])
    return family


def _kill(family: list[int]) -> None:
    """Kill parents first, so that none of them replaces a child, and wait for the children."""
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while any(_is_running(pid) for pid in family):
        time.sleep(0.01)


def _is_running(pid: int) -> bool:
    try:
        return _stat(pid)[0] not in "ZX"
    except OSError:
        return False


def _cpu_s(pid: int) -> float:
    try:
        return sum(map(int, _stat(pid)[11:15])) / _TICKS_PER_S
    except OSError:
        return 0.0


def _stat(pid: int) -> list[str]:
    """Return the fields of proc(5)'s ``stat`` from the third, the state, on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _memory(pid: int) -> dict[str, int]:
    """Return the fields of proc(5)'s ``status`` that are sizes, in bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    fields = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): int(size) * _KIB for name, size, _ in fields}
