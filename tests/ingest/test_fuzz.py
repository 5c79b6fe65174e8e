"""Any request at all: its bytes are on disk as they came, or it is refused as documented.

What must happen is decided here from the contract's table, without the receiver's code.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

import ingest.refusal
from contract.envelope import Envelope
from ingest.rejects import Reject
from tests.ingest.any_request import (
    LIMIT_BYTES,
    MOBILE,
    PUSH_PATHS,
    RECORD,
    SETTINGS,
    SID,
    TOKENS,
    Asked,
    any_request,
)
from tests.ingest.asgi import Receiver, Request
from tests.live import Answer

SECRETS = (*TOKENS, MOBILE, SID)


def demanded(asked: Asked) -> set[str]:
    """Return the outcomes that the contract allows; several, where several things are wrong."""
    request = asked.request
    if request.path not in PUSH_PATHS or asked.client.kind != "allowed":
        return {"not_found"}
    if request.method in ("GET", "HEAD"):
        return {"console_probe"}
    if request.method != "POST":
        return {"method_not_allowed"}
    return troubles(request) or {"landed"}


def troubles(request: Request) -> set[str]:
    length, transfer = request.header(b"content-length"), request.header(b"transfer-encoding")
    coding, body = request.header(b"content-encoding"), request.body
    is_form = "sms_status" in dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
    found = {
        "body_compressed": coding.strip().lower() not in (b"", b"identity")
        or transfer.lower() not in (b"", b"chunked"),
        "length_required": not length and not transfer,
        "body_too_large": max(int(length or 0), len(body)) > LIMIT_BYTES,
        "body_incomplete": not request.is_whole,
        "body_empty": request.is_whole and not body,
        "parameter_missing": request.is_whole and body != b"" and not is_form,
    }
    return {slug for slug, is_so in found.items() if is_so}


def outcome_of(answer: Answer, method: str) -> str:
    """Return what an answer tells; fails where it is none of the contract's."""
    assert answer.headers["content-type"] == "text/plain"
    if answer.status == 200:
        return "landed" if answer.body == b"SUCCESS" else "console_probe"
    slug = answer.headers.get("x-reject-reason", "unknown_path")
    (reject,) = (each for each in Reject if each.slug == slug)
    sentence = "" if method == "HEAD" else reject.sentence + "\n"
    assert (answer.status, answer.body.decode()) == (reject.status, sentence)
    return "not_found" if answer.status == 404 else slug


def assert_landed(lines: list[bytes], asked: Asked, answer: Answer) -> None:
    """Look at the line with the product's reader, and with no code of the product."""
    (line,) = lines
    fields = json.loads(line)
    text = fields.get("body")
    body = base64.b64decode(fields["body_base64"]) if text is None else text.encode()
    assert body == asked.request.body == Envelope.from_line(line).body
    assert fields["sha256"] == hashlib.sha256(asked.request.body).hexdigest()
    assert fields["push_id"] == answer.headers["x-request-id"]
    assert fields["remote_addr"] == asked.client.address
    assert fields["content_type"].encode("latin-1") == asked.request.header(b"content-type")


def assert_no_secret(text: str) -> None:
    for spelling in (text, unquote(text)):
        assert not [secret for secret in SECRETS if secret in spelling]
    assert "Traceback" not in text


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Run the application, every refusal logged."""
    made = Receiver(tmp_path_factory.mktemp("fuzz"), **SETTINGS)
    with pytest.MonkeyPatch.context() as patch, made.running():
        patch.setattr(ingest.refusal, "LOG_INTERVAL_S", 0.0)
        yield made


@settings(max_examples=600, deadline=None)
@given(asked=any_request())
def test_any_request(asked: Asked, receiver: Receiver) -> None:
    receiver.logged.clear()
    answer = receiver.ask(asked.request)
    outcome = outcome_of(answer, asked.request.method)
    event(outcome)
    assert outcome in demanded(asked)
    lines = receiver.take_landed()
    if outcome == "landed":
        assert_landed(lines, asked, answer)
    else:
        assert not lines
        assert_no_secret(answer.body.decode())
    assert_no_secret("".join(receiver.logged))
    assert bool(receiver.logged) == (answer.status != 200)
    assert receiver.landing.bytes_in_flight == 0


@settings(max_examples=100, deadline=None)
@given(
    asked=any_request(),
    path=st.sampled_from(["/healthz", "/readyz", "/metrics"]),
    accept=st.binary() | st.sampled_from([b"text/xml", b"a/b;q=x", b"application/json"]),
)
def test_any_request_to_what_supervisors_ask(
    asked: Asked, path: str, accept: bytes, receiver: Receiver
) -> None:
    receiver.logged.clear()
    headers = [*asked.request.headers, (b"accept", accept)]
    request = replace(asked.request, path=path, headers=headers)
    answer = receiver.ask(request)
    taken = {"GET", "OPTIONS"} if path == "/metrics" else {"GET", "HEAD", "OPTIONS"}
    assert answer.status in ((200,) if request.method in taken else (400, 405))
    assert not receiver.take_landed()
    assert_no_secret("".join([answer.body.decode(), *receiver.logged]))


def test_a_failure_of_our_own_is_told_without_what_was_pushed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of an exception may quote what it failed on."""

    def fail(body: bytes, *_: str) -> None:
        raise ValueError(f"{PUSH_PATHS[0]} {body!r}")

    receiver.logged.clear()
    monkeypatch.setattr(receiver.landing, "submit", fail)
    headers = [(b"content-length", b"%d" % len(b"sms_status=" + RECORD))]
    answer = receiver.ask(Request("POST", PUSH_PATHS[0], [b"sms_status=", RECORD], headers))
    assert outcome_of(answer, "POST") == "internal"
    told = "".join(receiver.logged)
    assert_no_secret(told)
    assert "ValueError" in told
    assert f"{__file__}:{fail.__code__.co_firstlineno + 1}" in told
