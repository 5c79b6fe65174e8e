"""The guard before the UI: which requests a page in the operator's browser may not make.

Dagster's webserver has no login and takes changes from whoever reaches it, and a browser reaches
loopback for every page it shows. So each request and each websocket must name a host we know
(a stranger's name that points to this machine is DNS rebinding) and must not come from a page
of another origin.
"""

import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]*)?")
_NOT_FRAMED = (
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
)
"""No page may lay the UI under its own buttons. Added to Dagster's own policy, not instead."""


class Refusal(NamedTuple):
    """Why a request is not passed on."""

    status: int
    sentence: str


class Guard:
    """ASGI application around another; what it refuses, the other never sees."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in (*LOOPBACK, *hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request or a websocket on, or answer it."""

        async def send_unframed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_NOT_FRAMED]
            await send(message)

        refusal = _refusal_of(scope, self._hosts) if scope["type"] != "lifespan" else None
        if refusal is None:
            await self._app(scope, receive, send_unframed)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # before it is accepted: 403
        else:
            answer = PlainTextResponse(f"{refusal.sentence}\n", refusal.status)
            await answer(scope, receive, send)


def _refusal_of(scope: Scope, hosts: Collection[str]) -> Refusal | None:
    """Judge a request by its headers, whatever its path."""
    given = _values(scope, b"host")
    host = given[0].lower() if len(given) == 1 else ""
    named = _HOST.fullmatch(host)
    if not named:
        return Refusal(400, "A request needs one Host header.")
    if named["name"] not in hosts:
        return Refusal(
            421, f"The UI does not answer to {named['name']}; if it should, add it to DLR_UI_HOSTS."
        )
    ours = {f"http://{host.removesuffix(':80')}", f"https://{host.removesuffix(':443')}"}
    if any(origin.lower() not in ours for origin in _values(scope, b"origin")):
        return Refusal(
            403, "Refused, because a page of another origin asks. (A proxy must pass Host on.)"
        )
    if not {"same-origin", "none"}.issuperset(_values(scope, b"sec-fetch-site")):
        # a link to the UI may stand anywhere, in an alert for example
        is_link = _values(scope, b"sec-fetch-dest") == ["document"]
        if not is_link or scope.get("method") not in ("GET", "HEAD"):
            return Refusal(403, "Refused, because a page of another site asks.")
    return None


def _values(scope: Scope, name: bytes) -> list[str]:
    headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
    return [value.decode("latin-1") for header, value in headers if header == name]


def refusal_of_graphql(request: Request) -> Refusal | None:
    """Judge a request to GraphQL by what a browser lets any page send: URLs and plain bodies.

    Dagster takes `text/plain; application/json` for JSON, and without it reads the URL of a POST.
    """
    if request.method == "POST":
        types = [each.split(";")[0].strip() for each in request.headers.getlist("content-type")]
        if types != ["application/json"]:
            return Refusal(415, "GraphQL takes a POST with Content-Type application/json only.")
    elif not all(_only_reads(text) for text in request.query_params.getlist("query")):
        return Refusal(405, "GraphQL by GET answers queries only; changes need a POST.")
    return None


def _only_reads(text: str) -> bool:
    """Whether a document holds queries only, whichever of them is asked for."""
    try:
        definitions: Sequence[Any] = parse(text).definitions
    except (GraphQLError, RecursionError):
        return False
    operations = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
    return all(operation.operation is OperationType.QUERY for operation in operations)
