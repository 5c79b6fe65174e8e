"""A real UI for tests, with our guard and without: all on one data folder and code server."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.runs.home import prepare_instance
from pipelines.service.dagster_state import LOCATION
from pipelines.service.parts import code_server_words, ui_words
from tests.command import environment
from tests.data_folder import settings_of
from tests.live import Answer, answer_on, ask, free_port

JSON = {"Content-Type": "application/json"}
_SELECTOR = (
    '{sensorName: "landed_files_sensor", repositoryName: "__repository__", '
    f'repositoryLocationName: "{LOCATION}"}}'
)
_SENSOR = (
    f"{{ sensorOrError(sensorSelector: {_SELECTOR}) "
    "{ ... on Sensor { id sensorState { status } } } }"
)
_START = f"mutation {{ startSensor(sensorSelector: {_SELECTOR}) {{ __typename }} }}"


class Ui(NamedTuple):
    """A webserver that runs."""

    host: str
    port: int
    prefix: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}{self.prefix}"

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one request; a ``Host`` among the headers replaces the usual one."""
        return ask(self.url, method, self.prefix + path, body, headers)

    def connect(self, *lines: str) -> socket.socket:
        """Open a connection and send the head of a request, exactly these lines."""
        connection = socket.create_connection((self.host, self.port), 10)
        connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        return connection

    def raw(self, *lines: str) -> Answer:
        """Send the head of a request; return what is answered."""
        with self.connect(*lines) as connection:
            return answer_on(connection)

    def graphql(self, query: str) -> Any:
        """Ask as the UI does; return the data."""
        answer = self.request("POST", "/graphql", json.dumps({"query": query}).encode(), JSON)
        assert answer.status == 200, answer
        return json.loads(answer.body)["data"]

    def sensor(self) -> Any:
        """The sensor, as GraphQL shows it."""
        return self.graphql(_SENSOR)["sensorOrError"]

    def stop_sensor(self) -> str:
        """The mutation that switches the sensor off."""
        return f'mutation {{ stopSensor(id: "{self.sensor()["id"]}") {{ __typename }} }}'

    def is_on(self) -> bool:
        """Whether the sensor is switched on."""
        return bool(self.sensor()["sensorState"]["status"] == "RUNNING")

    def switch_on(self) -> None:
        """Switch the sensor on."""
        self.graphql(_START)
        assert self.is_on()


@contextmanager
def running_uis(data: Path, *variants: Mapping[str, str] | None) -> Iterator[list[Ui]]:
    """Run a UI for each variant: with these settings, or Dagster's own where it is None."""
    home = _prepare(data)
    address, workspace = home / "code.sock", home / "workspace.yaml"
    server = {"socket": str(address), "location_name": LOCATION}
    workspace.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))
    with ExitStack() as stack:
        log = stack.enter_context((home / "ui.log").open("ab"))

        def start(words: list[str], settings: Mapping[str, str]) -> None:
            settings = {
                "DAGSTER_HOME": str(home),
                "DAGSTER_DISABLE_TELEMETRY": "1",
                **settings,
            }
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=data.parent,  # no .env of the developer's
                env=environment(data, **settings),
                stdout=log,
                stderr=log,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)

        uis = []
        start(code_server_words(address), {})
        for settings in variants:
            host, port = (settings or {}).get("HOST", "127.0.0.1"), free_port()
            words = ui_words(settings_of(data, ui_bind=f"{host}:{port}"), workspace)
            plain = ["dagster_webserver", "-p", str(port), "-w", str(workspace)]
            start(plain if settings is None else words, settings or {})
            uis.append(Ui(host, port, (settings or {}).get("DLR_UI_PATH_PREFIX", "")))
        until(address.exists, 90, "code server")
        for ui in uis:
            until(lambda ui=ui: _serves(ui), 90, "answer of the UI")  # type: ignore[misc]
        yield uis


def _prepare(data: Path) -> Path:
    before = dict(os.environ)
    try:
        return prepare_instance(settings_of(data))
    finally:
        os.environ.clear()
        os.environ.update(before)


def _serves(ui: Ui) -> bool:
    try:
        return "id" in ui.sensor()
    except OSError:
        return False


def until(happened: Callable[[], object], within_s: float, what: str) -> None:
    """Wait for something that is to happen."""
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, f"no {what} within {within_s:g} s"
        time.sleep(0.1)
