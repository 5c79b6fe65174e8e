"""Metrics for Prometheus; labels are slugs, never anything a client sends.

One receiver keeps its figures in memory. Several behind one port (``ingest.workers``) keep them in
files, so that any of them can answer for all; the client library does so by itself if
``PROMETHEUS_MULTIPROC_DIR`` is set before it is imported.
"""

import os
import time
from functools import partial
from http import HTTPStatus
from pathlib import Path

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
from ingest.groups import Group
from ingest.landing import Landing
from ingest.problems import Problems
from ingest.rejects import Reject

DATA_LOSS_HORIZON_S = 600.0
"""The provider's last try comes 10 to 15 minutes after the first; the shorter time counts."""

# They double every series and only say when the process started, which is known already.
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PUSHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """Counts requests and listens to the landing."""

    def __init__(self, landing: Landing, service_folder: Path) -> None:
        self._landing = landing
        self._problems = Problems(service_folder)
        self._registry = CollectorRegistry()
        self._failing_since: float | None = None
        self._is_shared = FOLDER_VARIABLE in os.environ
        if not self._is_shared:
            # With several processes it would describe whichever one happens to answer.
            ProcessCollector(registry=self._registry)
            self._registry.register(self._problems)
        self._make_counters()
        self._make_histograms()
        self._make_gauges()
        landing.listen(self._group_done)

    def page(self) -> bytes:
        """Return every metric in the Prometheus text format."""
        self.refresh()
        registry = self._registry
        if self._is_shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            registry.register(self._problems)
        return generate_latest(registry)

    def refresh(self) -> None:
        """Update the gauges; called often, so that a sibling's page is up to date as well."""
        self._in_flight.set(self._landing.bytes_in_flight)
        self._free.set(self._landing.room.free_bytes)
        self._free_inodes.set(self._landing.room.free_inodes)
        self._horizon.set(self._seconds_to_data_loss())

    def count(self, outcome: str) -> None:
        """Count one request by its outcome."""
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
            # Not only failed groups count: a disk that hangs finishes none.
            self._note_failure()

    def _group_done(self, group: Group) -> None:
        if group.error is None:
            self._failing_since = None
        else:
            self._note_failure()
        if group.pushes:
            self._groups.labels("failed" if group.error else "landed").inc()
            self._group_pushes.observe(group.pushes)
            self._sync.observe(group.seconds)
        if group.pushes and not group.error:
            self._bytes.inc(group.size_bytes)

    def _note_failure(self) -> None:
        if self._failing_since is None:
            self._failing_since = time.monotonic()

    def _seconds_to_data_loss(self) -> float:
        if self._failing_since is None:
            return DATA_LOSS_HORIZON_S
        return max(0.0, DATA_LOSS_HORIZON_S - (time.monotonic() - self._failing_since))

    def _make_counters(self) -> None:
        counter = partial(Counter, registry=self._registry)
        self._requests = counter(
            "dlr_receiver_requests",
            "Requests by outcome: landed, console_probe, or the reason for refusal",
            ["outcome"],
        )
        for outcome in ("landed", "console_probe", *(reject.slug for reject in Reject)):
            self._requests.labels(outcome)
        self._bytes = counter("dlr_landing_body_bytes", "Bytes of landed bodies")
        self._groups = counter("dlr_landing_groups", "Groups of pushes written", ["outcome"])

    def _make_histograms(self) -> None:
        histogram = partial(Histogram, registry=self._registry)
        self._duration = histogram(
            "dlr_receiver_request_duration_seconds",
            "Time from the first byte of the body to the answer",
            buckets=_SECONDS,
        )
        self._group_pushes = histogram(
            "dlr_landing_group_pushes", "Pushes written together", buckets=_PUSHES
        )
        self._sync = histogram(
            "dlr_landing_sync_duration_seconds",
            "Time to write, sync and rename one group",
            buckets=_SECONDS,
        )

    def _make_gauges(self) -> None:
        gauge = partial(Gauge, registry=self._registry)
        self._last_success = gauge(
            "dlr_receiver_last_success_timestamp_seconds",
            "Time of the last SUCCESS answer, seconds since 1970",
            multiprocess_mode="max",
        )
        self._in_flight = gauge(
            "dlr_landing_bytes_in_flight",
            "Bytes of bodies being received or written",
            multiprocess_mode="livesum",
        )
        self._free = gauge(
            "dlr_landing_free_bytes",
            "Free bytes on the landing disk when last measured, 0 when it is gone",
            multiprocess_mode="livemin",
        )
        self._free_inodes = gauge(
            "dlr_landing_free_inodes",
            "Files that can still be made on the landing disk when last counted, 0 when it is gone",
            multiprocess_mode="livemin",
        )
        self._horizon = gauge(
            "dlr_landing_data_loss_horizon_seconds",
            "Seconds until the provider gives up on reports; counts down while landing fails",
            multiprocess_mode="livemin",
        )
