"""What the receiver tells Prometheus; labels are slugs, never anything a client sends."""

import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from ingest.landing import Group, Landing
from ingest.rejects import Reject

DATA_LOSS_HORIZON_S = 600.0
"""The provider's last try comes 10 to 15 minutes after the first: the shorter one counts."""

# Doubles every series and says only when the process started, which is there already.
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PUSHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """Counts requests and listens to the landing."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self.registry = CollectorRegistry()
        self._failing_since: float | None = None
        ProcessCollector(registry=self.registry)
        self._make_request_metrics()
        self._make_landing_metrics()
        self._make_gauges()
        landing.listen(self._group_done)

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

    def _group_done(self, group: Group) -> None:
        if group.error is None:
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = time.monotonic()
        if group.pushes:
            self._groups.labels("failed" if group.error else "landed").inc()
            self._group_pushes.observe(group.pushes)
            self._sync.observe(group.seconds)
        if group.pushes and not group.error:
            self._bytes.inc(group.size_bytes)

    def _seconds_to_data_loss(self) -> float:
        if self._failing_since is None:
            return DATA_LOSS_HORIZON_S
        return max(0.0, DATA_LOSS_HORIZON_S - (time.monotonic() - self._failing_since))

    def _make_request_metrics(self) -> None:
        self._requests = Counter(
            "dlr_receiver_requests",
            "Requests by outcome: landed, console_probe, or the reason of the refusal",
            ["outcome"],
            registry=self.registry,
        )
        for outcome in ("landed", "console_probe", *(reject.slug for reject in Reject)):
            self._requests.labels(outcome)
        self._duration = Histogram(
            "dlr_receiver_request_duration_seconds",
            "From the first byte of the body to the answer",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def _make_landing_metrics(self) -> None:
        self._bytes = Counter(
            "dlr_landing_body_bytes", "Bytes of landed bodies", registry=self.registry
        )
        self._groups = Counter(
            "dlr_landing_groups", "Groups written", ["outcome"], registry=self.registry
        )
        self._group_pushes = Histogram(
            "dlr_landing_group_pushes",
            "Pushes written together",
            buckets=_PUSHES,
            registry=self.registry,
        )
        self._sync = Histogram(
            "dlr_landing_sync_duration_seconds",
            "Writing, syncing and publishing one group",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def _make_gauges(self) -> None:
        self._last_success = self._gauge(
            "dlr_receiver_last_success_timestamp_seconds", "Last answer SUCCESS, seconds of epoch"
        )
        self._gauge(
            "dlr_landing_bytes_in_flight", "Bytes of bodies being received or written"
        ).set_function(lambda: self._landing.bytes_in_flight)
        self._gauge(
            "dlr_landing_free_bytes", "Free bytes of the landing's disk, 0 when it is gone"
        ).set_function(self._landing.folder.free_bytes)
        self._gauge(
            "dlr_landing_data_loss_horizon_seconds",
            "Seconds until the provider gives reports up, counted down while landing fails",
        ).set_function(self._seconds_to_data_loss)

    def _gauge(self, name: str, description: str) -> Gauge:
        return Gauge(name, description, registry=self.registry)
