"""The problems of the whole service, as metrics: read from ``problems.json`` at each scrape.

Whoever looks at the service writes that file (`dlr up`, or `dlr run` by cron). Where nobody does,
there are no such metrics, rather than zeros that would look like health.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contract.problems import KINDS, read_problems


class Problems(Collector):
    """Metrics of ``problems.json`` in one folder; the same in every worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Each known name, present or not, and how old the file is."""
        problem = GaugeMetricFamily(
            "dlr_problem", "1 while a problem of this name is present, otherwise 0", labels=["name"]
        )
        age = GaugeMetricFamily(
            "dlr_problems_age_seconds", "Seconds since somebody looked for problems"
        )
        content = read_problems(self._folder)
        if content:
            present = {each.name for each in content.problems}
            for name in KINDS:
                problem.add_metric([name], float(name in present))
            age.add_metric([], max(0.0, (datetime.now(UTC) - content.at).total_seconds()))
        yield problem
        yield age
