"""Limits below the application: time and size of a request, connections, no protocol upgrades."""

import asyncio
from http import HTTPStatus
from typing import NoReturn

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ingest.access import Access
from ingest.connections import Strangers

ARRIVAL_TIMEOUT_S = 20.0
"""From the first byte of a request, or from connecting, to its last byte."""
HEAD_LIMIT_BYTES = 32 * 1024
HEADER_LIMIT = 100
"""Headers of one request; a short one takes some forty times its bytes in memory."""
PIPELINE_LIMIT = 100
"""Queued requests of one connection; each costs a hundred times its bytes."""

_VERSIONS = ("1.0", "1.1")
_UPGRADE_HEADERS = (b"connection", b"upgrade", b"http2-settings")


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the limits that it leaves to a proxy."""

    _arrival: asyncio.TimerHandle | None = None
    _unparsed_bytes = 0
    _is_head_read = False
    _is_upgrade = False
    _refusal: HTTPStatus | None = None
    """Answer to an unreadable request, sent after the answers that are due."""
    _fault = HTTPStatus.BAD_REQUEST
    """Answer if the parser gives up."""
    _strangers: Strangers

    @classmethod
    def with_access(cls, access: Access) -> type["LimitedProtocol"]:
        """Return the protocol for a receiver with these tokens and proxies."""
        return type(cls.__name__, (cls,), {"_strangers": Strangers(access)})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection; if there are too many, a stranger gives way."""
        super().connection_made(transport)
        self._expect_arrival()
        address = self.client[0] if self.client else ""
        self._strangers.add(self, address)
        self._strangers.make_room(len(self.connections), address)

    def is_leaving(self) -> bool:
        """Return whether the connection is about to be closed."""
        return self._refusal is not None or self.transport.is_closing()

    def give_way(self) -> None:
        """Answer that there are too many connections, and close."""
        self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._arrived()
        self._strangers.discard(self)
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Stay open for the answers to a client that has closed its own side."""
        if not self._refusal and self._is_answer_due():
            if self._arrival is None:
                self.cycle.keep_alive = False
                return True
            self._refuse(HTTPStatus.BAD_REQUEST)
        return self._refusal is not None

    def data_received(self, data: bytes) -> None:
        """Parse; bytes that complete no part of a request are limited."""
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
        """Start a request; one behind another has its own time limit."""
        self._is_head_read = False
        if self._arrival is None:
            self._expect_arrival()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Receive a header; raising makes the parser give up."""
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
            raise ValueError("not exactly one Host (RFC 9112, section 3.2)")
        self._strangers.look_for_token(self, self.url)
        self._is_upgrade = self.parser.should_upgrade()
        if not self._is_upgrade:
            super().on_headers_complete()
            self._is_head_read = True
            # The parser reports trailers alike; a client's must not pass for a proxy's header.
            self.headers = []

    def _give_up(self, status: HTTPStatus, reason: str) -> NoReturn:
        self._fault = status
        raise ValueError(reason)

    def on_body(self, body: bytes) -> None:
        """Receive a chunk of the body."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; if it was answered before its end, wait for the next one."""
        self._unparsed_bytes = 0
        if self._is_upgrade:
            return
        super().on_message_complete()
        self._arrived()
        if self.cycle.response_complete:
            self._expect_arrival()

    def on_response_complete(self) -> None:
        """Go on with the next request, or answer the unreadable one."""
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
        """Return whether a request before the one being read waits for its answer."""
        return bool(self.pipeline) if self._is_in_body() else self._is_busy()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer an unreadable request in its turn, and close."""
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
        """Answer, unless the request being read is answered already, and close."""
        is_answered = self._is_head_read and self.cycle.response_started
        if not is_answered:
            self.transport.write(_answer(status))
        self.transport.close()


def _answer(status: HTTPStatus) -> bytes:
    body = f"{status.phrase}.\n"
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain\r\n"
    retry = "retry-after: 10\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
    return f"{head}{retry}content-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode()
