"""Below the application: how long a request may take, how big its head may be, no upgrades.

Connections are bounded. Where there are too many, the oldest that never showed a valid token gives
way, so that strangers who say nothing keep nobody out.
"""

import asyncio
import itertools
import re
from http import HTTPStatus
from typing import NoReturn

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ingest.access import Access

ARRIVAL_TIMEOUT_S = 20.0
"""From the first byte of a request, or from connecting, to its last byte."""
HEAD_LIMIT_BYTES = 32 * 1024
HEADER_LIMIT = 100
"""Headers of one request; each takes some forty times the bytes of a short one."""
CONNECTION_LIMIT = 1000
ADDRESS_LIMIT = 250
"""Connections of one address that have not shown a valid token; of trusted proxies, any number."""
PIPELINE_LIMIT = 100
"""Requests of one connection that wait for their turn; each costs a hundred times its bytes."""

_VERSIONS = ("1.0", "1.1")
_UPGRADE_HEADERS = (b"connection", b"upgrade", b"http2-settings")
_PUSH_PATH = re.compile(rb"/yunpian/status/(?P<token>[A-Za-z0-9._~-]+)")


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the limits that it leaves to a proxy."""

    _arrival: asyncio.TimerHandle | None = None
    _unparsed_bytes = 0
    _is_head_read = False
    _is_upgrade = False
    _refusal: HTTPStatus | None = None
    """Answer to what cannot be read, to be given after the answers that are due."""
    _fault = HTTPStatus.BAD_REQUEST
    """Answer where the parser gives up."""
    _access: Access
    _order = itertools.count()
    _is_known = False
    """Whether a valid token came on this connection."""

    @classmethod
    def with_access(cls, access: Access) -> type["LimitedProtocol"]:
        """Return the protocol for a receiver that knows these tokens and proxies."""
        return type(cls.__name__, (cls,), {"_access": access})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; where there are too many, one without a token gives way."""
        super().connection_made(transport)
        self._number = next(self._order)
        self._peer = self.client[0] if self.client else ""
        self._expect_arrival()
        if len(self.connections) > CONNECTION_LIMIT:
            self._make_room(self._strangers(), at_most=0)
        elif len(self.connections) > ADDRESS_LIMIT and not self._access.is_proxy(self._peer):
            mine = [one for one in self._strangers() if one._peer == self._peer]
            self._make_room(mine, at_most=ADDRESS_LIMIT)

    def _strangers(self) -> list["LimitedProtocol"]:
        """Return the open connections on which no valid token came, the oldest first."""
        strangers = [
            one
            for one in self.connections
            if isinstance(one, LimitedProtocol) and not (one._is_known or one._is_leaving())
        ]
        return sorted(strangers, key=lambda one: one._number)

    def _make_room(self, strangers: list["LimitedProtocol"], at_most: int) -> None:
        if len(strangers) > at_most:
            strangers[0]._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def _is_leaving(self) -> bool:
        return self._refusal is not None or self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._arrived()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Stay open for the answers of a client that has said all it wants to say."""
        if not self._refusal and self._is_answer_due():
            if self._arrival is None:
                self.cycle.keep_alive = False
                return True
            self._refuse(HTTPStatus.BAD_REQUEST)
        return self._refusal is not None

    def data_received(self, data: bytes) -> None:
        """Parse; bytes that lead to nothing are bounded."""
        if self._refusal:
            return
        self._unset_keepalive_if_required()
        if self._arrival is None and not self._is_busy():
            self._expect_arrival()
        self._unparsed_bytes += len(data)
        self._parse(data)
        if self._unparsed_bytes > HEAD_LIMIT_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Start a request; behind another one it has its own time."""
        self._is_head_read = False
        if self._arrival is None:
            self._expect_arrival()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; raising makes the parser give up."""
        if len(self.headers) >= HEADER_LIMIT:
            self._give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Check the head; raising makes the parser give up."""
        self._unparsed_bytes = 0
        head_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if head_bytes > HEAD_LIMIT_BYTES:
            self._give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head too large")
        if len(self.pipeline) >= PIPELINE_LIMIT:
            raise ValueError("too many requests at once")
        if (
            self.parser.get_http_version() not in _VERSIONS
            or self.parser.get_method() == b"CONNECT"
        ):
            raise ValueError("not for this server")
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            raise ValueError("one Host is needed (RFC 9112, section 3.2)")
        self._look_for_token()
        self._is_upgrade = self.parser.should_upgrade()
        if not self._is_upgrade:
            super().on_headers_complete()
            self._is_head_read = True
            # The parser reports trailers alike; a client's must not pass for a proxy's header.
            self.headers = []

    def _look_for_token(self) -> None:
        match = None if self._is_known else _PUSH_PATH.match(self.url)
        if match is not None:
            self._is_known = self._access.knows_token(match["token"].decode("latin-1"))

    def _give_up(self, status: HTTPStatus, reason: str) -> NoReturn:
        self._fault = status
        raise ValueError(reason)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; where it was answered before its end, wait for the next one."""
        self._unparsed_bytes = 0
        if self._is_upgrade:
            return
        super().on_message_complete()
        self._arrived()
        if self.cycle.response_complete:
            self._expect_arrival()

    def on_response_complete(self) -> None:
        """Go on with the next request, or come to what could not be read."""
        is_last = not self.pipeline
        super().on_response_complete()
        if self._refusal and is_last and not self.transport.is_closing():
            self._close_with(self._refusal)

    def _parse(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = self._parse_to_upgrade(rest)
        except httptools.HttpParserError:
            self._refuse(self._fault)

    def _parse_to_upgrade(self, data: memoryview) -> memoryview:
        """Parse as far as a head that offers an upgrade; return the rest."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade()
            return data[upgrade.args[0] :]
        return data[:0]

    def _decline_upgrade(self) -> None:
        """Parse the head again as if it had not offered an upgrade.

        Java's own HTTP client offers one with every POST, and the parser takes what
        follows such a head for another protocol: the push would seem to have no body.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        connection = b"keep-alive" if self.parser.should_keep_alive() else b"close"
        head = [b"%b %b HTTP/%b" % (method, self.url, version), b"connection: " + connection]
        head += [
            b"%b: %b" % (name, value)
            for name, value in self.headers
            if name not in _UPGRADE_HEADERS
        ]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(b"\r\n".join([*head, b"", b""]))

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _is_in_body(self) -> bool:
        return self._is_head_read and self.cycle.more_body

    def _expect_arrival(self) -> None:
        self._arrived()
        self._arrival = self.loop.call_later(ARRIVAL_TIMEOUT_S, self._too_slow)

    def _arrived(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _too_slow(self) -> None:
        self._arrival = None
        self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _is_answer_due(self) -> bool:
        """Tell whether a request before the one that is being read waits for its answer."""
        return bool(self.pipeline) if self._is_in_body() else self._is_busy()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer what cannot be read, in its turn, and close."""
        self._arrived()
        if self._refusal or self.transport.is_closing():
            return
        if not self._is_answer_due():
            self._close_with(status)
            return
        self._refusal = status
        if self._is_in_body():
            self.pipeline.popleft()  # it can never be answered otherwise

    def _close_with(self, status: HTTPStatus) -> None:
        """Answer, unless the request that is being read has an answer already, and close."""
        is_answered = self._is_head_read and self.cycle.response_started
        if not is_answered:
            self.transport.write(_answer(status))
        self.transport.close()


def _answer(status: HTTPStatus) -> bytes:
    body = f"{status.phrase}.\n"
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain\r\n"
    retry = "retry-after: 10\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
    return f"{head}{retry}content-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode()
