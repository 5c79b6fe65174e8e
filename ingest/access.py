"""Who may push: a secret in the URL, and the network the push comes from."""

import hmac
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Self

from contract.settings import Network, Settings

Address = IPv4Address | IPv6Address

_KNOWN_ADDRESSES = 1024


class Access:
    """Tokens, allowed networks, trusted proxies."""

    def __init__(
        self,
        tokens: Iterable[str],
        allowed_networks: Sequence[Network] = (),
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        self._token_digests = [_digest(token) for token in tokens]
        self._allowed_networks = allowed_networks
        self._trusted_proxies = trusted_proxies

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Read tokens and networks from the settings."""
        tokens = (token.get_secret_value() for token in settings.push_tokens)
        return cls(tokens, settings.allowed_networks, settings.trusted_proxies)

    def knows_token(self, offered: str) -> bool:
        """Return whether a token is valid, in constant time."""
        digest = _digest(offered)
        known = False
        for valid in self._token_digests:
            known |= hmac.compare_digest(digest, valid)
        return known

    def allows(self, client: str) -> bool:
        """Return whether this address may push; no networks means every address."""
        if not self._allowed_networks:
            return True
        address = parse_address(client)
        return address is not None and _is_in(address, self._allowed_networks)

    def is_proxy(self, peer: str) -> bool:
        """Return whether an address belongs to a trusted proxy, which stands for many clients."""
        address = parse_address(peer)
        return address is not None and _is_in(address, self._trusted_proxies)

    def client_of(self, peer: str, forwarded_for: str) -> str:
        """Return the address of the client: the nearest one that no trusted proxy vouches for.

        ``peer`` is the other end of the connection, ``forwarded_for`` the header
        ``X-Forwarded-For``. It is read from the right, where the nearest proxy wrote,
        and only as far as proxies are trusted; an entry that is not an address ends the walk.
        """
        client = parse_address(peer)
        if client is None:
            return ""
        hops = forwarded_for.split(",") if self._trusted_proxies else []
        while hops and _is_in(client, self._trusted_proxies):
            hop = parse_address(hops.pop())
            if hop is None:
                break
            client = hop
        return str(client)


@lru_cache(_KNOWN_ADDRESSES)
def parse_address(text: str) -> Address | None:
    """Read an address, with or without a port; IPv4 inside IPv6 becomes IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _digest(token: str) -> bytes:
    """Digests have equal lengths, and accept any text a URL can decode to."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
