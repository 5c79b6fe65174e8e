"""The envelope: any bytes in, the same bytes out, one line in between."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.envelope import Envelope, EnvelopeError

bodies = st.binary() | st.text().map(lambda text: text.encode("utf-8"))
envelopes = st.builds(
    Envelope,
    push_id=st.text("0123456789abcdef-", min_size=1),
    received_at=st.datetimes(datetime(1970, 1, 2), timezones=st.just(UTC)),
    remote_addr=st.ip_addresses().map(str),
    content_type=st.text(st.characters(codec="latin-1")),
    body=bodies,
)


def an_envelope(body: bytes = b"sms_status=%5B%5D") -> Envelope:
    return Envelope("0660-1", datetime(2026, 11, 23, 6, 15, tzinfo=UTC), "192.0.2.7", "x/y", body)


@given(envelopes)
def test_round_trip(envelope: Envelope) -> None:
    line = envelope.to_line()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert Envelope.from_line(line) == envelope


@given(bodies)
@example(b"")
@example(b'"')
@example(b"\\")
@example(b"\x1f\x7f\xc2\x80\xe2\x80\xa8")
@example(b"\xed\xa0\x80")
def test_the_line_is_what_json_makes_of_the_fields(body: bytes) -> None:
    fields = json.loads(an_envelope(body).to_line())
    try:
        expected = {"body": body.decode()}
    except UnicodeDecodeError:
        expected = {"body_base64": base64.b64encode(body).decode()}
    assert {name: fields[name] for name in fields if name.startswith("body")} == expected
    assert json.dumps(fields, ensure_ascii=False).encode() + b"\n" == an_envelope(body).to_line()


@given(st.binary())
@example(b"[]")
@example(b"7")
@example(b'{"body": 1}')
@example(b'{"body": "\\ud800"}')
@example(b"[" * 100_000)
def test_any_other_line_is_refused_as_such(line: bytes) -> None:
    with pytest.raises(EnvelopeError):
        Envelope.from_line(line)


def test_a_changed_body_is_noticed() -> None:
    line = an_envelope().to_line().replace(b"sms_status", b"sms_statUs")
    with pytest.raises(EnvelopeError, match="digest"):
        Envelope.from_line(line)
