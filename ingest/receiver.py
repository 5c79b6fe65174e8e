"""The push resource: check access and size, land, answer."""

import asyncio
import re

import falcon
import falcon.asgi

from ingest.access import Access
from ingest.body import PushRequest, check_framing, has_parameter
from ingest.landing import Landing
from ingest.metrics import Metrics
from ingest.rejects import LandingError, Reject, RejectedError

PUSH_URL = re.compile(r"/yunpian/status/(?P<token>[^/]+)\Z")
LAND_TIMEOUT_S = 10.0
"""After this a push is answered 503, so that the provider hears of it before it times out."""


class Receiver:
    """Handles every method at the push URL; access is checked before anything else."""

    def __init__(
        self, access: Access, landing: Landing, metrics: Metrics, max_body_bytes: int
    ) -> None:
        self._access = access
        self._landing = landing
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes

    async def on_request(self, req: PushRequest, resp: falcon.asgi.Response, token: str) -> None:
        """Answer one request; raises RejectedError for everything that is refused."""
        client = self._admit(req, token)
        if req.method in ("GET", "HEAD"):
            _answer(resp, "Push delivery reports to this URL by POST.\n")
            self._metrics.count("console_probe")
        elif req.method == "POST":
            push_id = await self._take(req, client)
            resp.set_header("X-Request-Id", push_id)
            _answer(resp, "SUCCESS")
            self._metrics.landed(req.started)
        else:
            raise RejectedError(Reject.METHOD_NOT_ALLOWED)

    def _admit(self, req: PushRequest, token: str) -> str:
        """Return the client's address if it may push."""
        if not self._access.knows_token(token):
            raise RejectedError(Reject.WRONG_TOKEN)
        client = self._access.client_of(req.peer, req.header("X-Forwarded-For"))
        if not self._access.allows(client):
            raise RejectedError(Reject.ADDRESS_NOT_ALLOWED)
        return client

    async def _take(self, req: PushRequest, client: str) -> str:
        """Read a push and land it; return its ``push_id`` once it is durable."""
        if not self._landing.accepting:
            raise RejectedError(Reject.SHUTTING_DOWN)
        check_framing(req, self._max_body_bytes)
        try:
            push_id, done = await self._read_and_submit(req, client)
            async with asyncio.timeout(LAND_TIMEOUT_S):
                await done
        except LandingError as error:
            raise RejectedError(error.reject) from error
        except TimeoutError as error:
            raise RejectedError(Reject.WRITE_SLOW) from error
        except asyncio.CancelledError as error:
            # The server cancels when its grace is over; the client still gets an answer.
            raise RejectedError(Reject.SHUTTING_DOWN) from error
        return push_id

    async def _read_and_submit(
        self, req: PushRequest, client: str
    ) -> tuple[str, asyncio.Future[None]]:
        with self._landing.receiving() as hold:
            chunks = []
            async for chunk in req.chunks():
                hold.add(len(chunk))
                if hold.size_bytes > self._max_body_bytes:
                    raise RejectedError(Reject.BODY_TOO_LARGE)
                chunks.append(chunk)
            body = b"".join(chunks)
            if not body:
                raise RejectedError(Reject.BODY_EMPTY)
            if not has_parameter(body):
                raise RejectedError(Reject.PARAMETER_MISSING)
            return self._landing.submit(body, client, req.header("Content-Type"))


def _answer(resp: falcon.asgi.Response, text: str) -> None:
    resp.content_type = "text/plain"
    resp.text = text
