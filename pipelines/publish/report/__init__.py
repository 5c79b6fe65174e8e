"""The report: one HTML page about the delivery of messages, which works offline.

`figures.py` runs the queries of ``warehouse/report``, `words.py` formats numbers, `cards.py` makes
the headline, `page.py` renders the page from ``page.html``, ``page.css`` and ``page.js``,
`store.py` writes it. `charts.py` and `svg.py` draw the small charts of the Dagster UI.
"""

from pipelines.publish.report.charts import chart_of
from pipelines.publish.report.figures import Figures, PeriodError, read_figures
from pipelines.publish.report.page import render
from pipelines.publish.report.store import (
    ReportError,
    make_report,
    report_path,
    report_version,
    write_page,
)

__all__ = [
    "Figures",
    "PeriodError",
    "ReportError",
    "chart_of",
    "make_report",
    "read_figures",
    "render",
    "report_path",
    "report_version",
    "write_page",
]
