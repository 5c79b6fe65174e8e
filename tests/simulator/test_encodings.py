"""Each form of a body, taken apart again by the standard library."""

import json
from urllib.parse import parse_qsl, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.encodings import (
    Encoding,
    encode_body,
    escape_non_ascii,
    survives_raw,
)

TEXT = '[{"uid":"50% + 1&b=2","mobile":"+93703334567","error_detail":"接收成功 😀"}]'
ROUNDS = {
    Encoding.ONCE: 1,
    Encoding.ONCE_PERCENT20: 1,
    Encoding.TWICE: 2,
    Encoding.THRICE: 3,
}


def form_value(body: bytes) -> str:
    return dict(parse_qsl(body.decode(), keep_blank_values=True))["sms_status"]


@pytest.mark.parametrize(("encoding", "rounds"), ROUNDS.items())
@given(text=st.text())
def test_each_percent_encoding_decodes_back(encoding: Encoding, rounds: int, text: str) -> None:
    body = encode_body(text, encoding)
    value = body.decode("ascii").removeprefix("sms_status=")
    for _ in range(rounds):
        value = unquote_plus(value, errors="strict")
    assert value == text


@pytest.mark.parametrize(
    ("encoding", "begin"),
    [
        (Encoding.ONCE, b"sms_status=%5B%7B%22uid%22%3A%2250%25+%2B+1%26b"),
        (Encoding.ONCE_PERCENT20, b"sms_status=%5B%7B%22uid%22%3A%2250%25%20%2B%201%26b"),
        (Encoding.TWICE, b"sms_status=%255B%257B%2522uid"),
        (Encoding.THRICE, b"sms_status=%25255B%25257B%252522uid"),
        (Encoding.RAW, b'sms_status=[{"uid":"50% + 1&b'),
    ],
)
def test_each_encoding_looks_like_its_name(encoding: Encoding, begin: bytes) -> None:
    assert encode_body(TEXT, encoding).startswith(begin)


def test_raw_keeps_the_bytes_and_loses_only_the_plus() -> None:
    text = '[{"mobile":"+93703334567","error_detail":"接收成功"}]'
    body = encode_body(text, Encoding.RAW)
    assert body == b"sms_status=" + text.encode()
    assert form_value(body) == text.replace("+", " ")


@pytest.mark.parametrize(("text", "survives"), [("a+b", True), ("5%", False), ("a&b", False)])
def test_what_raw_destroys_is_known(text: str, survives: bool) -> None:
    assert survives_raw(text) is survives


def test_bytes_that_are_no_utf8_travel_as_they_are() -> None:
    assert encode_body(b"\xff ", Encoding.ONCE) == b"sms_status=%FF+"
    assert encode_body(b"\xff ", Encoding.RAW) == b"sms_status=\xff "


def test_other_parameters_stand_on_both_sides_in_the_given_order() -> None:
    body = encode_body("[]", before=[("app", "短信 demo")], after=[("v", "2"), ("a", "")])
    assert parse_qsl(body.decode(), keep_blank_values=True) == [
        ("app", "短信 demo"),
        ("sms_status", "[]"),
        ("v", "2"),
        ("a", ""),
    ]


@given(st.text())
def test_ascii_escapes_say_the_same(text: str) -> None:
    written = json.dumps(text, ensure_ascii=False)
    escaped = escape_non_ascii(written)
    assert escaped.isascii()
    assert json.loads(escaped) == text
