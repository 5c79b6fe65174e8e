"""A real `dlr up` for tests: its own process group, free ports, a data folder of the test's."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from pipelines.service.dagster_state import DagsterState, read_dagster_state
from pipelines.service.times import Times
from tests.command import environment
from tests.live import TOKEN, Answer, free_port
from tests.live import ask as request

PARTS = {
    "receiver": "ingest.server",
    "code_server": "dagster api grpc",
    "ui": "pipelines.service.ui",
    "daemon": "dagster._daemon",
}
"""Words by which the command line of each part is told."""
_UP = """
import sys, cli.up, cli.main
from pipelines.service.times import Times
cli.up.TIMES = Times(**{times})
sys.exit(cli.main.main(["up", "--ui-port", "{ui_port}"]))
"""


class Up(NamedTuple):
    """A running `dlr up`."""

    data: Path
    port: int
    ui_port: int
    log: Path
    process: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """All it has printed."""
        return self.log.read_text()

    def until(self, happened: Callable[[], object], within_s: float, what: str) -> None:
        """Wait for something that it is to bring about."""
        deadline = time.monotonic() + within_s
        while not happened():
            assert self.process.poll() is None, f"ended before {what}: {self.said}"
            assert time.monotonic() < deadline, f"no {what} within {within_s:g} s: {self.said}"
            time.sleep(0.1)

    def until_it_says(self, words: str, within_s: float = 120) -> None:
        self.until(lambda: words in self.said, within_s, words)

    def pid(self, part: str) -> int | None:
        """Process id of a part, None while it is not running."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        for child in " ".join(file.read_text() for file in children).split():
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                if f" {self.process.pid} " in words and PARTS[part] in words:
                    return int(child)
        return None

    def runs(self) -> dict[str, int]:
        """Process ids of the runs in progress, by run."""
        found = {}
        for file in (self.data / "dagster" / "running").glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                found[file.stem] = int(file.read_text())
        return found

    def dagster(self) -> DagsterState | None:
        return read_dagster_state(f"http://127.0.0.1:{self.ui_port}")

    def push(self, *sids: int) -> Answer:
        """Push a good record of each message."""
        records = [
            {
                "sid": sid,
                "uid": "abc",
                "mobile": "15205201314",
                "report_status": "SUCCESS",
                "user_receive_time": "2026-03-02 15:59:57",
                "error_msg": "DELIVRD",
                "error_detail": "x",
            }
            for sid in sids
        ]
        body = urlencode({"sms_status": json.dumps(records)}).encode()
        return request(self.url, "POST", f"/yunpian/status/{TOKEN}", body)

    def get(self, path: str) -> int:
        """Status of a GET to the receiver."""
        return request(self.url, "GET", path).status

    def stop(self, number: int = signal.SIGINT, within_s: float = 40) -> int:
        """Send a signal to its process group, as a terminal does; return the exit status."""
        os.killpg(self.process.pid, number)
        return self.process.wait(within_s)


def processes_on(data: Path) -> list[str]:
    """Return the command lines of all processes whose environment names the data folder."""
    mark = f"DLR_DATA={data}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                words = (process / "cmdline").read_bytes().split(b"\0")
                found.append(f"{process.name} {b' '.join(words).decode(errors='replace')}")
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return found


@contextmanager
def running_up(
    data: Path, times: Times | None = None, *, port: int = 0, ui_port: int = 0, **settings: str
) -> Iterator[Up]:
    """Run `dlr up` as the leader of a process group, as a shell does; its output goes to a file."""
    port, ui_port = port or free_port(), ui_port or free_port()
    log = data.with_name(f"up-{ui_port}.log")
    code = _UP.format(times=dataclasses.asdict(times or Times()), ui_port=ui_port)
    variables = environment(
        data, DLR_PUSH_TOKENS=TOKEN, DLR_BIND=f"127.0.0.1:{port}", PYTHONUNBUFFERED="1", **settings
    )
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=data.parent,  # no .env of the developer's
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        yield Up(data, port, ui_port, log, process)
    finally:
        # only where a test has failed; the supervisor first, or it would start others
        process.kill()
        process.wait()
        for line in processes_on(data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line.split()[0]), signal.SIGKILL)
