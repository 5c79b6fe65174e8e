"""What the receiver tells Prometheus; labels are slugs, never anything a client sends.

One receiver keeps its figures in memory. Several behind one port (``ingest.workers``) keep them in
files, so that whichever is asked answers for all; the client library does that by itself where
``PROMETHEUS_MULTIPROC_DIR`` is set before it is imported.
"""

import os
import time
from http import HTTPStatus
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from ingest.figures import FOLDER_VARIABLE
from ingest.landing import Group, Landing
from ingest.rejects import Reject

DATA_LOSS_HORIZON_S = 600.0
"""The provider's last try comes 10 to 15 minutes after the first: the shorter one counts."""

# Doubles every series and says only when the process started, which is there already.
disable_created_metrics()  # type: ignore[no-untyped-call]

Combination = Literal["max", "livesum", "livemin"]
"""What a gauge tells of several processes."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PUSHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """Counts requests and listens to the landing."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._registry = CollectorRegistry()
        self._failing_since: float | None = None
        self._is_shared = FOLDER_VARIABLE in os.environ
        if not self._is_shared:
            # Of several processes it would tell those of the one that happens to answer.
            ProcessCollector(registry=self._registry)
        self._make_request_metrics()
        self._make_landing_metrics()
        self._make_gauges()
        landing.listen(self._group_done)

    def page(self) -> bytes:
        """Return every metric in the Prometheus text format."""
        self.refresh()
        registry = self._registry
        if self._is_shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def refresh(self) -> None:
        """Bring the gauges up to now; called often, so that a sibling's page is true as well."""
        self._in_flight.set(self._landing.bytes_in_flight)
        self._free.set(self._landing.free_bytes)
        self._horizon.set(self._seconds_to_data_loss())

    def count(self, outcome: str) -> None:
        """Count one request by what became of it."""
        self._requests.labels(outcome).inc()

    def landed(self, started: float) -> None:
        """Count a push that was answered SUCCESS; ``started`` is of ``perf_counter``."""
        self.count("landed")
        self._duration.observe(time.perf_counter() - started)
        self._last_success.set_to_current_time()

    def refused(self, reject: Reject, started: float) -> None:
        """Count a refusal; ``started`` is of ``perf_counter``."""
        self.count(reject.slug)
        self._duration.observe(time.perf_counter() - started)
        if reject.status == HTTPStatus.SERVICE_UNAVAILABLE:
            # Not only by failed groups: a disk that hangs ends none.
            self._is_failing()

    def _group_done(self, group: Group) -> None:
        if group.error is None:
            self._failing_since = None
        else:
            self._is_failing()
        if group.pushes:
            self._groups.labels("failed" if group.error else "landed").inc()
            self._group_pushes.observe(group.pushes)
            self._sync.observe(group.seconds)
        if group.pushes and not group.error:
            self._bytes.inc(group.size_bytes)

    def _is_failing(self) -> None:
        if self._failing_since is None:
            self._failing_since = time.monotonic()

    def _seconds_to_data_loss(self) -> float:
        if self._failing_since is None:
            return DATA_LOSS_HORIZON_S
        return max(0.0, DATA_LOSS_HORIZON_S - (time.monotonic() - self._failing_since))

    def _make_request_metrics(self) -> None:
        self._requests = Counter(
            "dlr_receiver_requests",
            "Requests by outcome: landed, console_probe, or the reason of the refusal",
            ["outcome"],
            registry=self._registry,
        )
        for outcome in ("landed", "console_probe", *(reject.slug for reject in Reject)):
            self._requests.labels(outcome)
        self._duration = Histogram(
            "dlr_receiver_request_duration_seconds",
            "From the first byte of the body to the answer",
            buckets=_SECONDS,
            registry=self._registry,
        )

    def _make_landing_metrics(self) -> None:
        self._bytes = Counter(
            "dlr_landing_body_bytes", "Bytes of landed bodies", registry=self._registry
        )
        self._groups = Counter(
            "dlr_landing_groups", "Groups written", ["outcome"], registry=self._registry
        )
        self._group_pushes = Histogram(
            "dlr_landing_group_pushes",
            "Pushes written together",
            buckets=_PUSHES,
            registry=self._registry,
        )
        self._sync = Histogram(
            "dlr_landing_sync_duration_seconds",
            "Writing, syncing and publishing one group",
            buckets=_SECONDS,
            registry=self._registry,
        )

    def _make_gauges(self) -> None:
        self._last_success = self._gauge(
            "dlr_receiver_last_success_timestamp_seconds",
            "Last answer SUCCESS, seconds of epoch",
            "max",
        )
        self._in_flight = self._gauge(
            "dlr_landing_bytes_in_flight", "Bytes of bodies being received or written", "livesum"
        )
        self._free = self._gauge(
            "dlr_landing_free_bytes",
            "Free bytes of the landing's disk when it was last looked at, 0 when it is gone",
            "livemin",
        )
        self._horizon = self._gauge(
            "dlr_landing_data_loss_horizon_seconds",
            "Seconds until the provider gives reports up, counted down while landing fails",
            "livemin",
        )

    def _gauge(self, name: str, description: str, of_several: Combination) -> Gauge:
        return Gauge(name, description, registry=self._registry, multiprocess_mode=of_several)
