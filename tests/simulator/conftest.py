"""A receiver that says what it is told to, on a real port."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

Answer = tuple[int, bytes]


class ScriptedReceiver(ThreadingHTTPServer):
    """Keeps each request; ``answer`` gets their number so far (from 0) and decides."""

    daemon_threads = True
    request_queue_size = 64  # a full queue costs a second

    def __init__(self, answer: Callable[[int], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.bodies: list[bytes] = []
        self.content_types: list[str | None] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/yunpian/status/a-token"


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedReceiver
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            number = len(self.server.bodies)
            self.server.bodies.append(body)
            self.server.content_types.append(self.headers["Content-Type"])
        status, text = self.server.answer(number)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Callable[[Callable[[int], Answer]], ScriptedReceiver]]:
    """Start receivers with the given answers; they end with the test."""
    running: list[ScriptedReceiver] = []

    def start(answer: Callable[[int], Answer]) -> ScriptedReceiver:
        server = ScriptedReceiver(answer)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()
