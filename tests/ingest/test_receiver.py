"""The contract's table of answers, against a real server on a real port."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.rejects import Reject
from tests.live import Answer, Live, answer_on, ask, connect, landed, log_of, push, running_receiver

LIMIT_BYTES = 100_000
"""What the shared receiver takes at most."""


@dataclass
class Case:
    """A request and what must come of it."""

    name: str
    reject: Reject
    method: str = "POST"
    path: str = "{push}"
    body: bytes = b"sms_status=%5B%5D"
    headers: dict[str, str] = field(default_factory=dict)


REFUSED = [
    Case("no parameter", Reject.PARAMETER_MISSING, body=b"status=1"),
    Case("parameter only as a value", Reject.PARAMETER_MISSING, body=b"a=sms_status"),
    Case("parameter only as a part", Reject.PARAMETER_MISSING, body=b"xsms_status=1&sms_status2=1"),
    Case("parameter in capitals", Reject.PARAMETER_MISSING, body=b"SMS_STATUS=1"),
    Case("json without a parameter", Reject.PARAMETER_MISSING, body=b'[{"sid": 9527}]'),
    Case("empty body", Reject.BODY_EMPTY, body=b""),
    Case("wrong token", Reject.WRONG_TOKEN, path="/yunpian/status/wrong"),
    Case("token of another case", Reject.WRONG_TOKEN, path="/yunpian/status/A-TOKEN-FOR-TESTS"),
    Case("token with undecodable bytes", Reject.WRONG_TOKEN, path="/yunpian/status/%ff%00"),
    Case("missing token", Reject.UNKNOWN_PATH, path="/yunpian/status/"),
    Case("missing token and slash", Reject.UNKNOWN_PATH, path="/yunpian/status"),
    Case("path goes on", Reject.UNKNOWN_PATH, path="{push}/more"),
    Case("unknown path", Reject.UNKNOWN_PATH, path="/nothing/here"),
    Case("root", Reject.UNKNOWN_PATH, path="/"),
    *(
        Case(f"{method} with a wrong token", Reject.WRONG_TOKEN, method, "/yunpian/status/wrong")
        for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "PURGE", "TRACE")
    ),
    *(
        Case(method, Reject.METHOD_NOT_ALLOWED, method)
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "PURGE", "PROPFIND")
    ),
    Case("over the limit", Reject.BODY_TOO_LARGE, body=b"sms_status=" + b"1" * LIMIT_BYTES),
    Case("gzip", Reject.BODY_COMPRESSED, headers={"Content-Encoding": "gzip"}),
    Case("gzip twice", Reject.BODY_COMPRESSED, headers={"Content-Encoding": "identity, gzip"}),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused(case: Case, live: Live, live_data: Path) -> None:
    before = len(landed(live_data))
    path = case.path.format(push=live.push_path)
    answer = ask(live.base_url, case.method, path, case.body, case.headers)
    assert_refused(answer, case.reject)
    assert len(landed(live_data)) == before


def assert_refused(answer: Answer, reject: Reject) -> None:
    assert answer.status == reject.status
    assert answer.body.decode() == reject.sentence + "\n"
    assert answer.headers["content-type"] == "text/plain"
    assert ("retry-after" in answer.headers) == (answer.status == 503)
    assert (answer.headers.get("allow") == "GET, HEAD, POST") == (answer.status == 405)
    named = answer.headers.get("x-reject-reason")
    assert named == (None if answer.status == 404 else reject.slug)


def test_everything_not_found_looks_the_same(live: Live) -> None:
    paths = ("/yunpian/status/wrong", "/nothing/here", "/yunpian/status/")
    answers = [
        ask(live.base_url, method, path) for path in paths for method in ("GET", "POST", "PURGE")
    ]
    for answer in answers:
        del answer.headers["date"]
    assert all(answer == answers[0] for answer in answers)


TAKEN = {
    "the page's own form": b'sms_status=[{"sid":9527,"mobile":"15205201314"}]',
    "properly encoded": b"sms_status=%5B%7B%22sid%22%3A9527%7D%5D",
    "no array": b"sms_status=nonsense",
    "bad escape": b"sms_status=%zz%",
    "empty value": b"sms_status=",
    "no equals sign": b"sms_status",
    "no equals sign, more behind": b"sms_status&a=1",
    "other parameters before": b"a=1&b&=&sms_status=1",
    "key with an escape": b"sms%5Fstatus=1",
    "key with a lower-case escape": b"a=1&sms%5fstatus=1",
    "key all escaped": b"".join(b"%%%02X" % byte for byte in b"sms_status") + b"=1",
    "not UTF-8": b"sms_status=\xff\xfe\x00\r\n\xe6\x8e",
    "UTF-8 and control characters": 'sms_status=["接收成功"]\u2028\x00\x7f\\"'.encode(),
    "byte order mark in the value": b"sms_status=\xef\xbb\xbf[]",
    "at the limit": b"sms_status=" + b"1" * (LIMIT_BYTES - len("sms_status=")),
}


@pytest.mark.parametrize("body", TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_taken_verbatim(body: bytes, chunked: bool, live: Live, live_data: Path) -> None:
    before = {envelope.push_id for envelope in landed(live_data)}
    answer = push(live, pieces(body) if chunked else body)
    assert (answer.status, answer.headers["content-type"], answer.body) == (
        200,
        "text/plain",
        b"SUCCESS",
    )
    (envelope,) = [each for each in landed(live_data) if each.push_id not in before]
    assert envelope.body == body
    assert envelope.push_id == answer.headers["x-request-id"]
    assert envelope.remote_addr == "127.0.0.1"


def pieces(body: bytes) -> Iterator[bytes]:
    yield body[:5]
    for start in range(5, len(body), 40_000):
        yield body[start : start + 40_000]


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data"])
def test_content_type_is_kept_and_does_not_matter(
    content_type: str, live: Live, live_data: Path
) -> None:
    answer = push(live, b"sms_status=1", **{"Content-Type": content_type})
    assert answer.body == b"SUCCESS"
    (envelope,) = [
        each for each in landed(live_data) if each.push_id == answer.headers["x-request-id"]
    ]
    assert envelope.content_type == content_type


def test_identity_is_no_compression(live: Live) -> None:
    assert push(live, b"sms_status=1", **{"Content-Encoding": "identity"}).body == b"SUCCESS"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_console_probe(method: str, live: Live) -> None:
    answer = ask(live.base_url, method, live.push_path)
    assert answer.status == 200
    assert answer.body != b"SUCCESS"


def test_neither_length_nor_chunked(live: Live) -> None:
    answer = talk(live, b"POST %b HTTP/1.1\r\nHost: x\r\n\r\n" % live.push_path.encode())
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert answer.endswith(Reject.LENGTH_REQUIRED.sentence.encode() + b"\n")


def test_over_the_limit_in_chunks_is_refused_while_reading(live: Live, live_data: Path) -> None:
    """The first bytes over the limit get the answer; the end of the body never comes."""
    before = len(landed(live_data))
    with connect(live) as connection:
        head = b"POST %b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head % live.push_path.encode())
        connection.sendall(b"20000\r\nsms_status=" + b"1" * LIMIT_BYTES)
        assert_refused(answer_on(connection), Reject.BODY_TOO_LARGE)
    assert len(landed(live_data)) == before


def test_half_a_body_is_never_landed(live: Live, live_data: Path) -> None:
    head = b"POST %b HTTP/1.1\r\nHost: x\r\n" % live.push_path.encode()
    for cut in (
        head + b"Content-Length: 50\r\n\r\nsms_status=cut-by-length",
        head + b"Transfer-Encoding: chunked\r\n\r\n18\r\nsms_status=cut-by-chunks\r\n",
    ):
        with connect(live) as connection:
            connection.sendall(cut)
    push(live, b"sms_status=after-the-cut")
    assert not [each for each in landed(live_data) if b"cut-by" in each.body]


def talk(live: Live, request: bytes) -> bytes:
    """Send bytes, end the sending side, return everything that comes back."""
    with connect(live) as connection:
        connection.sendall(request)
        connection.shutdown(1)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_an_offered_upgrade_is_declined_and_the_push_taken(live: Live) -> None:
    """Java's HTTP client offers h2c with every POST; the parser then drops the body."""
    one = (
        b"POST %b HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAM\r\nContent-Length: 12\r\n\r\nsms_status=1"
    ) % live.push_path.encode()
    assert talk(live, one + one).count(b"SUCCESS") == 2


def test_pipelined_pushes_are_answered_in_turn(live: Live) -> None:
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: " % live.push_path.encode()
    answers = talk(live, (head + b"12\r\n\r\nsms_status=1" + head + b"1\r\n\r\nx") * 2)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"400", b"200", b"400"]


GARBAGE = {
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01" * 20,
    "an unknown version": b"POST / HTTP/2.0\r\nHost: x\r\n\r\n",
    "an ancient version": b"GET / HTTP/0.9\r\n\r\n",
    "length and chunked": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Length: 3\r\n\r\n0\r\n\r\n",
    "a number too large": b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
    "a tunnel": b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a query that is no text": b"GET /?\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "a large head": b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 8_000 + b"\r\n",
}


@pytest.mark.parametrize("request_bytes", GARBAGE.values(), ids=GARBAGE)
def test_garbage_gets_a_client_error(request_bytes: bytes, live: Live) -> None:
    assert re.match(rb"HTTP/1\.1 4\d\d ", talk(live, request_bytes))


@pytest.mark.parametrize(
    "beginning", [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\nX: x\r\n"]
)
def test_an_endless_head_is_cut_off(beginning: bytes, live: Live) -> None:
    with connect(live) as connection:
        connection.sendall(beginning + b"x" * 40_000)
        assert connection.recv(4096).startswith(b"HTTP/1.1 431 ")


def test_slow_and_silent_clients_are_cut_off(tmp_path: Path) -> None:
    prelude = "import ingest.wire as wire\nwire.ARRIVAL_TIMEOUT_S = 0.3"
    with running_receiver(tmp_path / "data", prelude=prelude) as live:
        push_head = b"POST %b HTTP/1.1\r\nHost: x\r\n" % live.push_path.encode()
        half = push_head + b"Content-Length: 9\r\n\r\nsms"
        connections = {said: connect(live) for said in (b"", b"\r\n", b"PO", push_head, half)}
        for said, connection in connections.items():
            connection.sendall(said)
        for said, connection in connections.items():
            with connection:
                assert answer_on(connection).status == 408, said
                assert connection.recv(4096) == b""
        assert push(live, b"sms_status=1").body == b"SUCCESS"


def test_an_idle_connection_is_closed_after_an_answer_before_the_end(tmp_path: Path) -> None:
    """Left alone, the server would keep a connection that was answered early for ever."""
    prelude = "import ingest.wire as wire\nwire.ARRIVAL_TIMEOUT_S = 0.3"
    with running_receiver(tmp_path / "data", prelude=prelude) as live, connect(live) as early:
        early.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        assert answer_on(early).status == 404
        early.sendall(b"0\r\n\r\n")
        assert early.recv(4096) == b""


def test_no_secret_in_logs_or_metrics(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_receiver(data, DLR_PUSH_TOKENS="first-secret,second-secret") as live:
        second = live._replace(token="second-secret")
        assert push(live, b"sms_status=15205201314").body == b"SUCCESS"
        assert push(second, b"sms_status=15205201314").body == b"SUCCESS"
        assert push(second, b"15205201314").status == 400
        assert push(live._replace(token="third-secret"), b"sms_status=1").status == 404
        told = ask(live.base_url, "GET", "/metrics").body.decode()
        live.process.terminate()
        assert live.process.stdout is not None
        told += live.process.stdout.read() + log_of(data).read_text()
    assert '"reason": "parameter_missing"' in told
    assert not re.search("secret|1520520", told)


def test_networks_and_proxies(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_receiver(
        data,
        DLR_ALLOWED_NETWORKS="192.0.2.0/24,2001:db8::/32",
        DLR_TRUSTED_PROXIES="127.0.0.0/8",
    ) as live:
        for client in ("192.0.2.7", "2001:db8::7", "198.51.100.9, 192.0.2.7"):
            assert push(live, b"sms_status=1", **{"X-Forwarded-For": client}).body == b"SUCCESS"
        for client in ("198.51.100.9", "192.0.2.7, 198.51.100.9", "nonsense", ""):
            answer = push(live, b"sms_status=1", **{"X-Forwarded-For": client})
            assert_refused(answer, Reject.ADDRESS_NOT_ALLOWED)
    clients = [envelope.remote_addr for envelope in landed(data)]
    assert clients == ["192.0.2.7", "2001:db8::7", "192.0.2.7"]


def test_forwarded_for_of_a_stranger_is_not_believed(live: Live, live_data: Path) -> None:
    answer = push(live, b"sms_status=1", **{"X-Forwarded-For": "192.0.2.7"})
    (envelope,) = [
        each for each in landed(live_data) if each.push_id == answer.headers["x-request-id"]
    ]
    assert envelope.remote_addr == "127.0.0.1"
