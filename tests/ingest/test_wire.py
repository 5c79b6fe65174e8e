"""Below the application: framing, order of answers, time; what two readers could read in two ways.

Behind a proxy the receiver reads bytes that another has read before. Where both could disagree on
the end of a request, a stranger's bytes would pass for a request of the provider's.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest.asking import metric
from tests.live import Answer, Live, answer_on, connect, landed, push, running_receiver

BODY = b"sms_status=1"
CHUNKS = b"c\r\nsms_status=1\r\n0\r\n\r\n"
SHORT_TIMEOUT = "import ingest.wire as wire\nwire.ARRIVAL_TIMEOUT_S = 0.5"


def a_push(live: Live, headers: bytes = b"Content-Length: 12\r\n", body: bytes = BODY) -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: x\r\n%b\r\n%b" % (live.push_path.encode(), headers, body)


def talk(live: Live, request: bytes, *, end: bool = True) -> list[bytes]:
    """Send bytes, perhaps end the sending side, return the statuses until the server closes."""
    with connect(live) as connection:
        connection.sendall(request)
        if end:
            connection.shutdown(1)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    return re.findall(rb"HTTP/1\.1 (\d+) ", answers)


def landed_as(live_data: Path, answer: Answer) -> list[tuple[str, str]]:
    """Return client and content type of what was landed with an answer."""
    return [
        (envelope.remote_addr, envelope.content_type)
        for envelope in landed(live_data)
        if envelope.push_id == answer.headers["x-request-id"]
    ]


TWO_READINGS = {
    "two equal lengths": (b"Content-Length: 12\r\nContent-Length: 12\r\n", BODY),
    "two lengths": (b"Content-Length: 12\r\nContent-Length: 11\r\n", BODY),
    "a list of lengths": (b"Content-Length: 12, 12\r\n", BODY),
    "a signed length": (b"Content-Length: +12\r\n", BODY),
    "a negative length": (b"Content-Length: -12\r\n", BODY),
    "no length in it": (b"Content-Length: \r\n", BODY),
    "a blank before the colon": (b"Content-Length : 12\r\n", BODY),
    "length and chunked": (b"Content-Length: 12\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
    "length and identity": (b"Content-Length: 12\r\nTransfer-Encoding: identity\r\n", BODY),
    "chunked twice": (b"Transfer-Encoding: chunked\r\n" * 2, CHUNKS),
    "chunked not last": (b"Transfer-Encoding: chunked, gzip\r\n", CHUNKS),
    "nearly chunked": (b"Transfer-Encoding: xchunked\r\n", CHUNKS),
    "chunked after a vertical tab": (b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS),
    "a folded header": (b"X: x\r\n Content-Length: 3\r\nContent-Length: 12\r\n", BODY),
    "a lone CR": (b"X: x\rContent-Length: 3\r\nContent-Length: 12\r\n", BODY),
    "a lone LF": (b"X: x\nContent-Length: 12\r\n", BODY),
    "a NUL": (b"X: x\0\r\nContent-Length: 12\r\n", BODY),
    "a header without a name": (b": x\r\nContent-Length: 12\r\n", BODY),
    "a chunk size in hex notation": (b"Transfer-Encoding: chunked\r\n", b"0x" + CHUNKS),
    "a signed chunk size": (b"Transfer-Encoding: chunked\r\n", b"+" + CHUNKS),
    "a chunk size too large": (b"Transfer-Encoding: chunked\r\n", b"1" + b"0" * 16 + CHUNKS),
    "chunks that end in LF": (b"Transfer-Encoding: chunked\r\n", CHUNKS.replace(b"\r", b"")),
    "a chunk longer than its size": (b"Transfer-Encoding: chunked\r\n", CHUNKS.replace(b"c", b"b")),
}


@pytest.mark.parametrize(("headers", "body"), TWO_READINGS.values(), ids=TWO_READINGS)
@pytest.mark.parametrize("upgrade", [b"", b"Connection: upgrade\r\nUpgrade: h2c\r\n"])
def test_what_could_be_read_in_two_ways_is_refused_and_the_connection_closed(
    headers: bytes, body: bytes, upgrade: bytes, live: Live, live_data: Path
) -> None:
    before = len(landed(live_data))
    hidden = a_push(live)
    assert talk(live, a_push(live, upgrade + headers, body) + hidden, end=False) == [b"400"]
    assert len(landed(live_data)) == before


def test_a_duplicated_header_counts_as_one_list(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_receiver(data, DLR_TRUSTED_PROXIES="127.0.0.0/8") as live, connect(live) as client:
        twice = b"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n"
        client.sendall(a_push(live, twice + b"Content-Length: 12\r\n"))
        assert answer_on(client).headers["x-reject-reason"] == "body_compressed"
        twice = b"X-Forwarded-For: 198.51.100.9\r\nX-Forwarded-For: 192.0.2.7\r\n"
        client.sendall(a_push(live, twice + b"Content-Length: 12\r\n"))
        assert landed_as(data, answer_on(client)) == [("192.0.2.7", "")]


def test_trailers_are_no_headers(tmp_path: Path) -> None:
    """A proxy may pass on a stranger's trailers behind the header it wrote itself."""
    data = tmp_path / "data"
    trailers = b"X-Forwarded-For: 192.0.2.7\r\nContent-Type: b/b\r\nContent-Encoding: gzip\r\n"
    headers = (
        b"X-Forwarded-For: 198.51.100.9\r\nContent-Type: a/a\r\nTransfer-Encoding: chunked\r\n"
    )
    with running_receiver(data, DLR_TRUSTED_PROXIES="127.0.0.0/8") as live, connect(live) as client:
        client.sendall(a_push(live, headers, CHUNKS[:-2] + trailers + b"\r\n"))
        assert landed_as(data, answer_on(client)) == [("198.51.100.9", "a/a")]


AFTER_A_PUSH = {
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01",
    "a broken chunk": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "conflicting lengths": b"POST / HTTP/1.1\r\n" + b"Content-Length: 1\r\n" * 2,
    "half a head": b"POST / HT",
    "half a body": b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nx",
    "empty lines": b"\r\n\r\n",
}


@pytest.mark.parametrize("rest", AFTER_A_PUSH.values(), ids=AFTER_A_PUSH)
@pytest.mark.parametrize("pushes", [1, 3])
def test_what_follows_a_push_does_not_take_its_answer(
    rest: bytes, pushes: int, live: Live, live_data: Path
) -> None:
    """Parsed while the push is being written, it would be answered first."""
    before = len(landed(live_data))
    statuses = talk(live, a_push(live) * pushes + rest)
    assert statuses[:pushes] == [b"200"] * pushes
    # Where the end of half a request comes after the push was answered, nobody is told of it.
    assert statuses[pushes:] in ([], [b"400"], [b"404"])
    assert len(landed(live_data)) == before + pushes


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Run a receiver that waits for half a second only."""
    data = tmp_path_factory.mktemp("impatient") / "data"
    prelude = SHORT_TIMEOUT + "\nimport ingest.server as server\nserver.KEEP_ALIVE_S = 1"
    with running_receiver(data, prelude=prelude) as live:
        yield live


@pytest.mark.parametrize("cut", [5, 50, -5], ids=["method", "head", "body"])
def test_half_a_request_behind_a_push_is_not_waited_for(cut: int, impatient: Live) -> None:
    one = a_push(impatient)
    assert talk(impatient, one + one[:cut], end=False) == [b"200", b"408"]


def test_a_trickle_does_not_earn_more_time(impatient: Live) -> None:
    with connect(impatient, timeout_s=0.05) as client:
        client.sendall(a_push(impatient, b"Transfer-Encoding: chunked\r\n", b""))
        answer = b""
        for _ in range(100):
            try:
                client.sendall(b"1\r\nx\r\n")
                answer = client.recv(4096)
                break
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed(impatient: Live) -> None:
    assert talk(impatient, a_push(impatient), end=False) == [b"200"]


@pytest.mark.parametrize("tail", [b"0\r\nX: ", b"1;x="], ids=["trailer", "chunk extension"])
def test_what_is_endless_behind_the_head_is_cut_off(tail: bytes, live: Live) -> None:
    with connect(live) as client:
        headers = b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"
        client.sendall(a_push(live, headers, b""))
        assert client.recv(4096).startswith(b"HTTP/1.1 100 ")  # the head is read
        client.sendall(tail + b"x" * 40_000)
        assert answer_on(client).status == 431


def test_a_declined_upgrade_leaves_a_connection_to_be_closed(live: Live) -> None:
    headers = b"Connection: close, upgrade\r\nUpgrade: h2c\r\nContent-Length: 12\r\n"
    assert talk(live, a_push(live, headers) * 2, end=False) == [b"200"]


@pytest.mark.parametrize("headers", [b"", b"Connection: upgrade\r\nUpgrade: h2c\r\n"])
def test_thousands_of_requests_at_once_are_not_queued(headers: bytes, live: Live) -> None:
    """Anyone could otherwise fill the memory: 250 kB of them took 29 MB."""
    one = b"GET / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n"
    name = 'dlr_receiver_requests_total{outcome="unknown_path"}'
    before = metric(live, name)
    with contextlib.suppress(ConnectionError):  # closed while we still send
        talk(live, one * (200_000 // len(one)))
    assert metric(live, name) - before < 300
    assert push(live, BODY).body == b"SUCCESS"
