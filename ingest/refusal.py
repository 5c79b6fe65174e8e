"""How a refusal is reported: one sentence to the client, one log line to the operator."""

import logging
import secrets
import time
from http import HTTPStatus
from typing import Any

import falcon.asgi

from ingest.body import PushRequest
from ingest.logs import log_event, place_of
from ingest.metrics import Metrics
from ingest.rejects import Reject, RejectedError

Params = dict[str, Any]

RETRY_AFTER_S = 10
LOG_INTERVAL_S = 1.0
"""Each reason is logged at most this often, so that floods of refusals do not flood the log."""


class Refusals:
    """Falcon's error handlers: every refusal and every failure ends here."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._logged: dict[Reject, tuple[float, int]] = {}

    async def unknown_path(self, _req: PushRequest, _resp: falcon.asgi.Response) -> None:
        """Refuse a path that no route handles."""
        raise RejectedError(Reject.UNKNOWN_PATH)

    async def on_reject(
        self, req: PushRequest, resp: falcon.asgi.Response, error: RejectedError, _params: Params
    ) -> None:
        """Answer a refusal."""
        self._refuse(req, resp, error.reject, error.__cause__)

    async def on_failure(
        self, req: PushRequest, resp: falcon.asgi.Response, error: Exception, _params: Params
    ) -> None:
        """Answer an internal failure: the provider should push again."""
        # Kind and place only: the text may quote what was pushed.
        name, place = type(error).__name__, place_of(error)
        log_event("failure", level=logging.ERROR, error=name, at=place)
        self._refuse(req, resp, Reject.INTERNAL, None)

    def _refuse(
        self,
        req: PushRequest,
        resp: falcon.asgi.Response,
        reject: Reject,
        cause: BaseException | None,
    ) -> None:
        resp.status = reject.status
        resp.content_type = "text/plain"
        resp.text = reject.sentence + "\n"
        if reject.status == HTTPStatus.METHOD_NOT_ALLOWED:
            resp.set_header("Allow", "GET, HEAD, POST")
        if reject.status == HTTPStatus.SERVICE_UNAVAILABLE:
            resp.set_header("Retry-After", str(RETRY_AFTER_S))
            # The next try should reach a process that can serve it, not this one again.
            resp.set_header("Connection", "close")
        # Every 404 must look the same, so that it reveals nothing.
        if reject.status != HTTPStatus.NOT_FOUND:
            resp.set_header("X-Reject-Reason", reject.slug)
            resp.set_header("X-Request-Id", secrets.token_hex(8))
        self._metrics.refused(reject, req.started)
        self._log(req, resp, reject, cause)

    def _log(
        self,
        req: PushRequest,
        resp: falcon.asgi.Response,
        reject: Reject,
        cause: BaseException | None,
    ) -> None:
        now = time.monotonic()
        last, unlogged = self._logged.get(reject, (-LOG_INTERVAL_S, 0))
        if now - last < LOG_INTERVAL_S:
            self._logged[reject] = (last, unlogged + 1)
            return
        self._logged[reject] = (now, 0)
        log_event(
            "refused",
            level=logging.WARNING,
            reason=reject.slug,
            status=reject.status,
            method=req.method,
            peer=req.peer,
            cause=str(cause) if cause else None,
            request_id=resp.get_header("X-Request-Id"),
            unlogged_before=unlogged,
        )
