"""Garbage at the port: well-formed answers, no secrets told, and what is acknowledged is landed.

What a damaged request means is read here by a reader of the test's own: where the receiver read
something else, bytes of one client would pass for a push of another.
"""

import json
import random
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from tests.ingest.garbage import DAMAGES
from tests.live import TOKEN, Answer, Live, connect, landed, log_of, push, running_receiver

CONNECTIONS = 400
TIME_LIMIT_S = 8
DOCUMENTED = {200, 400, 404, 405, 408, 411, 413, 415, 431, 503}
MOBILE, SID = "15205201314", "952712345678"


class Talk(NamedTuple):
    """What was said on one connection."""

    sent: bytes
    received: bytes
    is_reset: bool
    """The connection was torn down, so answers may be missing."""


def test_garbage(tmp_path: Path) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails
    data = tmp_path / "data"
    acknowledged: dict[str, bytes] = {}
    perhaps: list[bytes] = []
    end = time.monotonic() + TIME_LIMIT_S
    with running_receiver(data, DLR_MAX_BODY_BYTES="3000") as live:
        for number in range(CONNECTIONS):
            if time.monotonic() > end:
                break
            chance = random.Random(f"{seed} {number}")
            talk = talk_garbage(live, chance, number)
            acknowledged |= acknowledged_in(talk)
            perhaps += bodies_in(talk.sent) if talk.is_reset else []
            proper = push(live, b"sms_status=proper-%d" % number)
            assert proper.body == b"SUCCESS"
            acknowledged[proper.headers["x-request-id"]] = b"sms_status=proper-%d" % number
        assert live.process.poll() is None
    found = {envelope.push_id: envelope.body for envelope in landed(data)}
    assert acknowledged.items() <= found.items()
    assert all(found[push_id] in perhaps for push_id in found.keys() - acknowledged.keys())
    assert_clean_log(log_of(data).read_text())


def talk_garbage(live: Live, chance: random.Random, number: int) -> Talk:
    """Damage a push and send it in pieces; now and then go away without listening."""
    noise = chance.choice([b"", chance.randbytes(20), b"x" * chance.choice([100, 2_000, 4_000])])
    body = b'sms_status=%d[{"sid":%b,"mobile":"%b"}]' % (number, SID.encode(), MOBILE.encode())
    path = live.push_path.encode()
    if chance.random() < 0.2:
        path = b"".join(b"%%%02x" % byte for byte in path).replace(b"%2f", b"/")
    sent = chance.choice(DAMAGES)(chance, a_push(path, body + noise, chance))
    received, is_reset = b"", False
    with connect(live) as connection:
        try:
            for piece in in_pieces(sent, chance):
                connection.sendall(piece)
            if chance.random() < 0.05:
                return Talk(sent, b"", is_reset=True)
            connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(65536):
                received += data
        except TimeoutError:  # of all errors the one that must not be
            raise
        except OSError:
            is_reset = True
    return Talk(sent, received, is_reset)


def a_push(path: bytes, body: bytes, chance: random.Random) -> bytes:
    framing, framed = b"Content-Length: %d" % len(body), body
    if chance.random() < 0.5:
        framing, framed = (
            b"Transfer-Encoding: chunked",
            b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
        )
    return b"POST %b HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n%b" % (path, framing, framed)


def in_pieces(sent: bytes, chance: random.Random) -> Iterator[bytes]:
    cuts = sorted(chance.choices(range(len(sent) + 1), k=chance.choice([0, 0, 1, 3])))
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        yield sent[start:end]


def acknowledged_in(talk: Talk) -> dict[str, bytes]:
    """Check all that came back; return what the pushes acknowledged in it must have landed."""
    answers = list(answers_in(talk))
    bodies = bodies_in(talk.sent)
    assert {answer.status for answer in answers} <= DOCUMENTED
    assert not [a for a in answers[:-1] if a.headers.get("connection") == "close"]
    for answer in answers:
        assert b"Traceback" not in answer.body
        assert ("retry-after" in answer.headers) == (answer.status == 503)
    return {
        answer.headers["x-request-id"]: bodies[place]
        for place, answer in enumerate(answers)
        if answer.body == b"SUCCESS"
    }


def answers_in(talk: Talk) -> Iterator[Answer]:
    """Yield every answer; fails where one is not well-formed or cut off."""
    rest = talk.received
    while rest:
        head = re.match(rb"HTTP/1\.1 (\d{3}) [ -~]+\r\n((?:[a-z-]+: [ -~]+\r\n)*)\r\n", rest)
        assert head or talk.is_reset, rest
        if not head:
            return
        lines = head[2].decode().splitlines()
        headers = dict(line.split(": ", 1) for line in lines)
        assert len(headers) == len(lines)
        status = int(head[1])
        end = head.end() + int(headers["content-length"] if status != 100 else 0)
        assert len(rest) >= end or talk.is_reset
        if status != 100:
            yield Answer(status, headers, rest[head.end() : end])
        rest = rest[end:]


def bodies_in(sent: bytes) -> list[bytes]:
    """Return the body of each request, as far as there are requests."""
    bodies: list[bytes] = []
    while head := re.match(rb"[\r\n]*(?:.+\r\n)+\r\n", sent):
        sent = sent[head.end() :]
        length = re.search(rb"(?im)^content-length:[ \t]*(\d+)[ \t]*\r$", head[0])
        is_chunked = re.search(rb"(?im)^transfer-encoding:.*chunked[ \t]*\r$", head[0])
        size = int(length[1]) if length else 0
        body, sent = dechunked(sent) if is_chunked else (sent[:size], sent[size:])
        bodies.append(body)
    return bodies


def dechunked(sent: bytes) -> tuple[bytes, bytes]:
    """Return the body of a chunked request and what follows it."""
    body = b""
    while size := re.match(rb"([0-9A-Fa-f]+)(?:;.*)?\r\n", sent):
        start, end = size.end(), size.end() + int(size[1], 16)
        if start == end:
            trailers = re.match(rb"(?:.+\r\n)*\r\n", sent[start:])
            return body, sent[start + trailers.end() :] if trailers else b""
        body, sent = body + sent[start:end], sent[end + 2 :]
    return body, b""


def assert_clean_log(log: str) -> None:
    """Every line is an event, none is a failure, and none tells a secret in any spelling."""
    lines = [json.loads(line) for line in log.splitlines()]
    assert not [line for line in lines if line["level"] == "error"]
    assert {line["event"] for line in lines} <= {"refused", "stopped"}
    for text in (log, unquote(log)):
        assert not [secret for secret in (TOKEN, MOBILE, SID) if secret in text]
