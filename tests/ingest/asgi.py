"""The application without a server: any method, path, header and piece of a body can be given."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import ingest.health
import ingest.receiver
from contract.settings import Settings, load_settings
from ingest.app import create_app
from ingest.folder import LandingFolder
from ingest.landing import Landing
from ingest.logs import OneLine
from tests.live import Answer


@dataclass(frozen=True)
class Request:
    """One request, as an ASGI server hands it over."""

    method: str
    path: str
    pieces: list[bytes] = field(default_factory=list)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    query: bytes = b""
    peer: str = "192.0.2.7"
    is_whole: bool = True
    """Else the client is gone after the pieces."""

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def header(self, name: bytes) -> bytes:
        """Return all values of a header as one list."""
        return b",".join(value for each, value in self.headers if each == name)

    def scope(self) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "path": self.path,
            "raw_path": self.path.encode("utf-8", "surrogatepass"),
            "query_string": self.query,
            "client": (self.peer, 4711) if self.peer else None,
            "headers": list(self.headers),
        }

    def events(self) -> Iterator[dict[str, Any]]:
        # One at least: the framework does not answer who is gone before it begins.
        for piece in self.pieces or [b""]:
            yield {"type": "http.request", "body": piece, "more_body": True}
        if self.is_whole:
            yield {"type": "http.request"}
        while True:
            yield {"type": "http.disconnect"}


class Receiver:
    """The application over a real folder, and what it logs."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.landing = Landing(LandingFolder(data / "landing" / "yunpian", free_floor_bytes=0))
        self.app = create_app(_settings(data=data, **settings), self.landing)
        self.logged: list[str] = []
        self._runner = asyncio.Runner()

    @contextlib.contextmanager
    def running(self) -> Iterator["Receiver"]:
        """Keep the landing open and listen to the log."""
        capture, root = _Capture(self.logged), logging.getLogger()
        self.landing.open()
        root.addHandler(capture)
        with pytest.MonkeyPatch.context() as patch, self._runner:
            # A disk that others keep busy is not what is tested here.
            patch.setattr(ingest.receiver, "LAND_TIMEOUT_S", 60.0)
            patch.setattr(ingest.health, "PROBE_TIMEOUT_S", 60.0)
            yield self
        root.removeHandler(capture)
        self.landing.close()

    def ask(self, request: Request) -> Answer:
        """Have one request answered; whatever the application raises comes out."""
        return self._runner.run(self._answer(request))

    async def _answer(self, request: Request) -> Answer:
        events, sent = request.events(), []

        async def receive() -> dict[str, Any]:
            return next(events)

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await self.app(request.scope(), receive, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent))

    def take_landed(self) -> list[bytes]:
        """Return the landed lines and remove them."""
        files = sorted(self.landing.folder.root.glob("[0-9]*/*"))
        lines = [line for file in files for line in file.read_bytes().splitlines(keepends=True)]
        for file in files:
            file.unlink()
        return lines


def _settings(**fields: object) -> Settings:
    """Return settings with nothing of the developer's own environment in them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DLR_")]:
            patch.delenv(name)
        return load_settings(_env_file=None, **fields)


class _Capture(logging.Handler):
    """Keeps what would be on standard error."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.setFormatter(OneLine())
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
