"""The body of a request: its length, whether it is complete, whether it has the parameter."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import falcon
import falcon.asgi

from ingest.rejects import Reject, RejectedError

PARAMETER = "sms_status"

Event = Mapping[str, Any]
"""An ASGI event."""


def _spellings(name: str) -> str:
    """Return a pattern for ``name`` with any of its characters percent-encoded."""
    return "".join(f"(?:{re.escape(char)}|(?i:%{ord(char):02x}))" for char in name)


_FIRST = re.compile(f"{_spellings(PARAMETER)}(?:[=&]|\\Z)".encode())
# Starts with one literal byte, so that a large body is searched at the speed of memchr.
_LATER = re.compile(b"&" + _FIRST.pattern)


def has_parameter(body: bytes) -> bool:
    """Return whether a form-encoded body has the parameter, whatever its value."""
    return (
        body.startswith(b"sms_status=")
        or _FIRST.match(body) is not None
        or _LATER.search(body) is not None
    )


class PushRequest(falcon.asgi.Request):
    """A request that yields its body as it comes, and tells its end from a lost connection.

    Falcon's own stream ends alike in both cases: half a body would pass for a complete one.
    """

    def __init__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Event]],
        first_event: Event | None = None,
        options: falcon.RequestOptions | None = None,
    ) -> None:
        # Falcon reads it as UTF-8 and fails where it is not; nothing here needs it.
        scope["query_string"] = b""
        super().__init__(scope, receive, first_event, options)
        self.started = time.perf_counter()
        self._events = receive
        self._event: Event = first_event or {"type": "http.request"}

    @property
    def peer(self) -> str:
        """Address at the other end of the connection, empty if there is none."""
        client = self.scope.get("client")
        return str(client[0]) if client else ""

    def header(self, name: str) -> str:
        """Return a header's value, empty if there is none."""
        return self.get_header(name) or ""

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes; raises RejectedError where the client goes away."""
        event = self._event
        while event["type"] == "http.request":
            yield event.get("body", b"")
            if not event.get("more_body", False):
                return
            event = await self._events()
        raise RejectedError(Reject.BODY_INCOMPLETE)


def check_framing(req: PushRequest, max_body_bytes: int) -> None:
    """Refuse a body for what its headers say about it; raises RejectedError."""
    if req.header("Content-Encoding").strip().lower() not in ("", "identity"):
        raise RejectedError(Reject.BODY_COMPRESSED)
    transfer = req.header("Transfer-Encoding").strip().lower()
    if transfer not in ("", "chunked"):
        raise RejectedError(Reject.BODY_COMPRESSED)
    length = req.header("Content-Length").strip()
    if not transfer and not length:
        raise RejectedError(Reject.LENGTH_REQUIRED)
    # Eighteen digits are beyond any limit, and more than that may be too many for int().
    if len(length) > 18 or (length.isascii() and length.isdigit() and int(length) > max_body_bytes):
        raise RejectedError(Reject.BODY_TOO_LARGE)
