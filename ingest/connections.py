"""Which connection gives way when too many are open.

A connection is a stranger until a valid token arrives on it. The oldest stranger gives way, so that
connections that send nothing cannot keep a provider out.
"""

import re
from typing import Protocol

from ingest.access import Access

CONNECTION_LIMIT = 1000
ADDRESS_LIMIT = 250
"""Strangers from one address; a trusted proxy may open any number."""

_PUSH_PATH = re.compile(rb"/yunpian/status/(?P<token>[A-Za-z0-9._~-]+)")


class Connection(Protocol):
    """An open connection."""

    def is_leaving(self) -> bool:
        """Return whether it is about to be closed."""

    def give_way(self) -> None:
        """Answer that there are too many, and close."""


class Strangers:
    """The open connections on which no valid token has arrived, the oldest first."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._addresses: dict[Connection, str] = {}

    def add(self, connection: Connection, address: str) -> None:
        """Add a new connection, which is a stranger."""
        self._addresses[connection] = address

    def discard(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self._addresses.pop(connection, None)

    def look_for_token(self, connection: Connection, url: bytes) -> None:
        """Accept a stranger whose request has a valid token in its URL."""
        if connection in self._addresses:
            match = _PUSH_PATH.match(url)
            if match and self._access.knows_token(match["token"].decode("ascii")):
                self.discard(connection)

    def make_room(self, open_connections: int, address: str) -> None:
        """Close a stranger if the newest connection, from ``address``, is one too many."""
        if open_connections > CONNECTION_LIMIT:
            strangers, limit = self._staying(), 0
        elif open_connections > ADDRESS_LIMIT and not self._access.is_proxy(address):
            strangers, limit = self._staying(address), ADDRESS_LIMIT
        else:
            return
        if len(strangers) > limit:
            strangers[0].give_way()

    def _staying(self, address: str | None = None) -> list[Connection]:
        return [
            connection
            for connection, its_address in self._addresses.items()
            if address in (None, its_address) and not connection.is_leaving()
        ]
