"""Who may push."""

import hmac
from ipaddress import ip_network
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.access import Access, parse_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8:aa::/48")]


def test_every_token_is_valid_and_nothing_else() -> None:
    access = Access(["first", "second"])
    assert all(access.knows_token(token) for token in ("first", "second"))
    assert not any(access.knows_token(token) for token in ("", "third", "FIRST", "firs", "first "))
    assert not Access([]).knows_token("")


@pytest.mark.parametrize("offered", ["first", "second", "third", "none", "f"])
def test_every_token_is_compared_whole_even_behind_a_match(
    offered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time of an answer would tell how much of a token is right, or which one it is."""
    compare = Mock(wraps=hmac.compare_digest)
    monkeypatch.setattr(hmac, "compare_digest", compare)
    Access(["first", "second", "third"]).knows_token(offered)
    assert [len(text) for call in compare.call_args_list for text in call.args] == [32] * 6


@given(st.text(st.characters()))
def test_any_text_is_no_token(text: str) -> None:
    assert not Access(["a token with a blank, which no setting takes"]).knows_token(text + "x")


@pytest.mark.parametrize(
    ("client", "allowed"),
    [
        ("192.0.2.1", True),
        ("::ffff:192.0.2.1", True),
        ("2001:db8::1", True),
        ("[2001:db8::1]:4711", True),
        ("::ffff:c000:201", True),
        ("::192.0.2.1", False),  # not the address that IPv6 maps to IPv4
        ("::ffff:198.51.100.1", False),
        ("0300.0.2.1", False),
        ("3221225985", False),
        ("198.51.100.1", False),
        ("2001:db9::1", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_allowed_networks(client: str, allowed: bool) -> None:
    access = Access([], [ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")])
    assert access.allows(client) is allowed
    assert Access([]).allows(client)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.5", "192.0.2.1", "203.0.113.5"),  # a stranger is not believed
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, 198.51.100.2", "198.51.100.2"),  # the left one is hearsay
        ("10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, 2001:db8:aa::1,10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "192.0.2.1, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "192.0.2.1:4711", "192.0.2.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("", "192.0.2.1", ""),
    ],
)
def test_client_behind_proxies(peer: str, forwarded: str, client: str) -> None:
    assert Access([], trusted_proxies=PROXIES).client_of(peer, forwarded) == client


def test_without_proxies_the_header_is_never_read() -> None:
    assert Access([]).client_of("10.0.0.1", "192.0.2.1") == "10.0.0.1"


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    parse_address(text)
    Access([], trusted_proxies=PROXIES).client_of("10.0.0.1", text)
