"""A real receiver for tests: its own process, a real port, a data folder of the test's."""

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from contract.envelope import Envelope

ROOT = Path(__file__).parent.parent
TOKEN = "a-token-for-tests"
STOP_TIMEOUT_S = 20


class Live(NamedTuple):
    """A running receiver."""

    base_url: str
    token: str
    process: "subprocess.Popen[str]"

    @property
    def push_path(self) -> str:
        return f"/yunpian/status/{self.token}"

    @property
    def push_url(self) -> str:
        return self.base_url + self.push_path


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


def free_port() -> int:
    """Return a port nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def running_receiver(
    data: Path, *, prelude: str = "", quick_stop: bool = True, workers: int = 1, **env: str
) -> Iterator[Live]:
    """Run a receiver on ``data``; ``env`` are settings (``DLR_…``) beside the defaults of tests.

    ``prelude`` is Python run in its process first, to shorten a limit or to break the disk.
    ``quick_stop`` leaves out the time in which it is merely unready. Of several ``workers`` the
    process is the supervisor; neither of the two holds for them.
    Its log is ``<data>.log``. On leaving it is stopped with SIGTERM, if it still runs.
    """
    settings = {
        "DLR_DATA": str(data),
        "DLR_PUSH_TOKENS": TOKEN,
        "DLR_BIND": "127.0.0.1:0",
        **env,
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DLR_")}
    quick = "ingest.server.UNREADY_FIRST_S = 0\n" if quick_stop else ""
    code = f"{prelude}\nimport sys, ingest.server\n{quick}sys.exit(ingest.server.main())"
    several = ["-m", "ingest.workers", str(workers)]
    with log_of(data).open("a") as log:
        process = subprocess.Popen(
            [sys.executable, *(["-c", code] if workers == 1 else several)],
            cwd=data.parent,  # no .env of the developer's
            env={**inherited, "PYTHONPATH": str(ROOT), **settings},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        token = settings["DLR_PUSH_TOKENS"].split(",")[0]
        yield Live(_base_url(process, data), token, process)
    finally:
        _stop(process)


def log_of(data: Path) -> Path:
    """Return where a receiver on ``data`` logs to."""
    return data.with_name(data.name + ".log")


def ask(
    base_url: str,
    method: str,
    path: str,
    body: bytes | Iterator[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Make one request on a connection of its own; an iterator as body is sent chunked."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=15)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        return _read(connection.getresponse())


def push(live: Live, body: bytes | Iterator[bytes], **headers: str) -> Answer:
    """POST ``body`` to the push URL."""
    return ask(live.base_url, "POST", live.push_path, body, headers)


def connect(live: Live, timeout_s: float = 10) -> socket.socket:
    """Open a bare connection, for what no HTTP client would send."""
    url = urlsplit(live.base_url)
    return socket.create_connection((url.hostname, url.port), timeout_s)


def answer_on(connection: socket.socket) -> Answer:
    """Read the next answer on a bare connection; raises OSError or HTTPException."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return _read(response)


def landed_files(data: Path) -> list[Path]:
    """Return the visible landed files, oldest first."""
    return sorted((data / "landing" / "yunpian").glob("[0-9]*/*"))


def landed(data: Path) -> list[Envelope]:
    """Return every landed envelope; raises EnvelopeError where one is torn."""
    return [
        Envelope.from_line(line)
        for file in landed_files(data)
        for line in file.read_bytes().splitlines(keepends=True)
    ]


def _read(response: http.client.HTTPResponse) -> Answer:
    names = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, names, response.read())


def _base_url(process: "subprocess.Popen[str]", data: Path) -> str:
    assert process.stdout is not None
    first_line = process.stdout.readline()
    found = re.match(r"Receiving at (http://[^/]+)/", first_line)
    assert found, f"no receiver: {first_line!r} {log_of(data).read_text()}"
    return found[1]


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
