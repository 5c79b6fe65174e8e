"""The report: one HTML page that answers what became of the messages, without a network.

`period.py` says which days it is about, `figures.py` asks the queries of ``warehouse/report``,
`words.py` writes numbers for people, `cards.py` the headline, `page.py` puts the page together from
``page.html``, ``page.css`` and ``page.js``, `store.py` puts it in its place. `charts.py` and
`svg.py` draw the small charts of the Dagster UI.
"""

from pipelines.publish.report.charts import chart_of
from pipelines.publish.report.figures import Figures, choose_period, read_figures
from pipelines.publish.report.page import render
from pipelines.publish.report.period import Period, PeriodError
from pipelines.publish.report.store import (
    ReportError,
    make_report,
    report_path,
    report_version,
    write_page,
)

__all__ = [
    "Figures",
    "Period",
    "PeriodError",
    "ReportError",
    "chart_of",
    "choose_period",
    "make_report",
    "read_figures",
    "render",
    "report_path",
    "report_version",
    "write_page",
]
