"""Pushes on many connections at once, and a record of what each was answered."""

import contextlib
import hashlib
import http.client
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.live import Answer, Live, answer_on, connect

PROXIES = "127.0.0.0/8"
"""What a receiver under load must trust, for each push names a client of its own."""

_CONTENT_TYPES = ("application/x-www-form-urlencoded", "text/plain; charset=gbk", "")
_LARGEST_BYTES = 4_000_000
_RAW = random.Random(0).randbytes(_LARGEST_BYTES)
_FILLS = (
    b"%5B%7B%22sid%22%3A9527%7D%5D" * 150_000,
    '[{"error_detail": "接收成功\u2028"}]\r\n\\\x00'.encode() * 100_000,
    _RAW,  # hardly ever UTF-8
)


class Push(NamedTuple):
    """What must be found of a push once it has landed."""

    sha256: str
    client: str
    content_type: str


@dataclass
class Answers:
    """What came back under load."""

    acknowledged: dict[str, Push] = field(default_factory=dict)
    """Answered SUCCESS, by the id that the answer names."""
    refused: Counter[str] = field(default_factory=Counter)
    """Answered 503 with Retry-After, by reason."""
    closed: int = 0
    """Connections that ended without an answer."""
    odd: list[str] = field(default_factory=list)
    """Everything else; a killed process may leave half an answer."""


@contextlib.contextmanager
def load(live: Live, seed: int, *, connections: int = 8, pause_s: float = 0) -> Iterator[Answers]:
    """Push on so many connections until the block ends, or nobody listens any more."""
    answers, stop = Answers(), threading.Event()
    pushers = [
        threading.Thread(target=_Pusher(live, answers, stop, random.Random(name), pause_s).push_on)
        for name in (f"{seed}-{number}" for number in range(connections))
    ]
    for pusher in pushers:
        pusher.start()
    try:
        yield answers
    finally:
        stop.set()
        for pusher in pushers:
            pusher.join()


@dataclass
class _Pusher:
    """Pushes one after the other, on a new connection where the last one was closed."""

    live: Live
    answers: Answers
    stop: threading.Event
    chance: random.Random
    pause_s: float

    def push_on(self) -> None:
        with contextlib.suppress(OSError):  # nobody listens
            while not self.stop.is_set():
                with connect(self.live) as connection:
                    self._use(connection)

    def _use(self, connection: socket.socket) -> None:
        while not self.stop.wait(self.pause_s):
            body = a_body(self.chance)
            client = f"192.0.2.{self.chance.randrange(1, 255)}"
            content_type = self.chance.choice(_CONTENT_TYPES)
            try:
                connection.sendall(self._head(client, content_type, len(body)) + body)
                answer = answer_on(connection)
            except (http.client.IncompleteRead, http.client.BadStatusLine, OSError) as error:
                self._note_end(error)
                return
            self._note(answer, Push(hashlib.sha256(body).hexdigest(), client, content_type))
            if answer.headers.get("connection") == "close":
                return

    def _head(self, client: str, content_type: str, body_bytes: int) -> bytes:
        lines = (
            f"POST {self.live.push_path} HTTP/1.1",
            "Host: x",
            f"X-Forwarded-For: {client}",
            f"Content-Type: {content_type}",
            f"Content-Length: {body_bytes}",
        )
        return "\r\n".join([*lines, "", ""]).encode()

    def _note(self, answer: Answer, push: Push) -> None:
        if answer.status == 200 and answer.body == b"SUCCESS":
            self.answers.acknowledged[answer.headers["x-request-id"]] = push
        elif answer.status == 503 and "retry-after" in answer.headers:
            self.answers.refused[answer.headers["x-reject-reason"]] += 1
        else:
            self.answers.odd.append(f"{answer.status} {answer.body[:40]!r}")

    def _note_end(self, error: Exception) -> None:
        """Tell a connection that was closed from an answer that was begun."""
        if isinstance(error, OSError):  # http.client's RemoteDisconnected is one
            self.answers.closed += 1
        else:
            self.answers.odd.append(f"{type(error).__name__} {error}")


def a_body(chance: random.Random) -> bytes:
    """Return a body of any bytes: mostly small, now and then as large as is taken."""
    largest = chance.choices((2_000, 40_000, 400_000, _LARGEST_BYTES), (30, 55, 12, 3))[0]
    fill = chance.choice(_FILLS)
    start = chance.randrange(len(fill))
    unique = b"sms_status=%032x" % chance.getrandbits(128)
    return unique + fill[start : start + chance.randrange(largest)]
