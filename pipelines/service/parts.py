"""The four parts of the service: their commands, and how each shows that it works.

$DLR_DATA/service/workspace.yaml    where webserver and daemon find the code server
$DLR_DATA/service/code-server.sock  there; in a folder of its own where the path is too long
$DLR_DATA/dagster/dagster.log       what the three write, at most two files of 10 MB
"""

import json
import shutil
import socket
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from contract.problems import service_folder
from contract.settings import Settings
from pipelines.service.child import Child, Say
from pipelines.service.dagster_state import LOCATION
from pipelines.service.gather import answers, receiver_url, ui_url
from pipelines.service.times import Times

_LONGEST_SOCKET = 100
"""Bytes of a path; the system's limit is 104 to 108."""
_LOG_BYTES = 10_000_000
_QUIET = ["--log-level", "warning"]


def receiver(settings: Settings, say: Say, times: Times) -> Child:
    """The receiver, which needs none of the others."""
    alive = partial(answers, f"{receiver_url(settings)}/healthz", times.probe_s)
    return Child("receiver", ["ingest.server"], say, times, probe=alive, is_vital=True)


def pipeline(settings: Settings, home: Path, say: Say, times: Times) -> dict[str, Child]:
    """Code server, UI and daemon, by name; raises OSError where their files cannot be written."""
    folder = service_folder(settings.data)
    address = _socket_of(folder)
    workspace = _write_workspace(folder, address)
    log = home / "dagster.log"
    code_server = Child(
        "code_server",
        code_server_words(address),
        say,
        times,
        probe=partial(_accepts, address),
        log=log,
    )
    served = partial(answers, f"{ui_url(settings)}/server_info", 5.0)
    words = ui_words(settings, workspace)
    ui = Child("ui", words, say, times, probe=served, probe_s=times.look_s, log=log)
    daemon = Child("daemon", daemon_words(workspace), say, times, log=log)
    return {part.name: part for part in (code_server, ui, daemon)}


def code_server_words(address: Path) -> list[str]:
    """The module that serves the definitions, and its words.

    Its socket is there once it has loaded them.
    """
    module = ["-m", LOCATION, "--location-name", LOCATION]
    return ["dagster", "api", "grpc", "--socket", str(address), *module, *_QUIET]


def daemon_words(workspace: Path) -> list[str]:
    """The module that ticks and starts runs, and its words."""
    return ["dagster._daemon", "run", "-w", str(workspace), *_QUIET]


def ui_words(settings: Settings, workspace: Path) -> list[str]:
    """The module that serves the UI, and its words."""
    return ["pipelines.service.ui", settings.ui_bind, str(workspace)]


def rotate(log: Path) -> None:
    """Begin a log again once it is large, keeping the last one; its writers append to it."""
    with suppress(OSError):
        if log.stat().st_size > _LOG_BYTES:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            with log.open("r+b") as file:
                file.truncate()


def _socket_of(folder: Path) -> Path:
    path = folder / "code-server.sock"
    if len(bytes(path)) > _LONGEST_SOCKET:
        path = Path(tempfile.mkdtemp(prefix="dlr-")) / path.name
    path.unlink(missing_ok=True)
    return path


def _write_workspace(folder: Path, address: Path) -> Path:
    file = folder / "workspace.yaml"
    server: Mapping[str, str] = {"socket": str(address), "location_name": LOCATION}
    file.write_text(json.dumps({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
    return file


def _accepts(address: Path) -> bool:
    """Whether somebody listens on a socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2.0)
        return connection.connect_ex(str(address)) == 0
