"""Liveness, readiness and metrics, for a supervisor, a load balancer and a monitoring system."""

import asyncio
import time

import falcon.asgi
from prometheus_client import CONTENT_TYPE_LATEST

from ingest.groups import Group
from ingest.landing import Landing
from ingest.logs import log_event
from ingest.metrics import Metrics
from ingest.refusal import RETRY_AFTER_S
from ingest.rejects import LandingError

PROBE_CACHE_S = 1.0
PROBE_TIMEOUT_S = 5.0
FAILURE_HOLD_S = 10.0
"""After a failed write, readiness needs a landed push or this much time; without the latter a
balancer that sends nothing to an unready receiver would keep it unready for ever."""


class Liveness:
    """``GET /healthz``: the process is alive."""

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Answer 200."""
        resp.content_type = "text/plain"
        resp.text = "alive\n"

    on_head = on_get


class Readiness:
    """``GET /readyz``: a push would be durable now."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._probe: asyncio.Future[None] | None = None
        self._probed_at = 0.0
        self._failures = 0
        self._failed_at = 0.0
        landing.listen(self._group_done)

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Answer 200, or 503 with the cause."""
        trouble = await self._trouble()
        resp.content_type = "text/plain"
        resp.text = (trouble or "ready") + "\n"
        if trouble:
            resp.status = 503
            resp.set_header("Retry-After", str(RETRY_AFTER_S))
            resp.set_header("Connection", "close")

    on_head = on_get

    async def _trouble(self) -> str | None:
        if not self._landing.accepting:
            return "shutting down"
        if self._failures and time.monotonic() - self._failed_at < FAILURE_HOLD_S:
            return "the last landing failed"
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await asyncio.shield(self._fresh_probe())
        except LandingError as error:
            return f"cannot write: {error}"
        except TimeoutError:
            return "cannot write: the disk is too slow"
        return None

    def _fresh_probe(self) -> asyncio.Future[None]:
        """Return a probe that is running or recent, so that asking often costs nothing."""
        now = time.monotonic()
        probe = self._probe
        if probe is None or (probe.done() and now - self._probed_at > PROBE_CACHE_S):
            probe = self._probe = self._landing.probe()
            self._probed_at = now
        return probe

    def _group_done(self, group: Group) -> None:
        if group.error and group.pushes:
            if not self._failures:
                log_event(
                    "landing_failed", cause=type(group.error).__name__, detail=str(group.error)
                )
            self._failures += 1
            self._failed_at = time.monotonic()
        elif group.pushes and self._failures:
            log_event("landing_recovered", failed_groups=self._failures)
            self._failures = 0


class MetricsPage:
    """``GET /metrics``: the Prometheus text format."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Answer every metric."""
        resp.content_type = CONTENT_TYPE_LATEST
        resp.data = self._metrics.page()
