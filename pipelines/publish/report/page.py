"""One HTML file that needs nothing else: style, script, chart library and numbers within it.

The page's Content-Security-Policy allows two scripts, by their digests, and loads nothing at all.
Inline styles are allowed because the chart library sets them as it draws.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import jinja2
from markupsafe import Markup

from pipelines.publish.pages import csp_hash, inline, templates
from pipelines.publish.report import cards, words
from pipelines.publish.report.figures import Figures

_HERE = Path(__file__).parent
_FILTERS = (
    *(words.number, words.exact, words.percent, words.points, words.seconds),
    *(words.within, words.date_time, words.day, words.label, words.glue),
)
MOST_ROWS = 12
"""Rows of a table that are shown at once; the rest is one click away."""


def render(figures: Figures) -> str:
    """The page."""
    full = bool(figures["period"])
    return _template().render(
        figures=figures,
        cards=cards.cards(figures) if full else [],
        interval=cards.main_interval(figures["latency_headline"]) if full else "",
        intervals=cards.INTERVALS,
        policy=_policy(),
        style=inline(_HERE / "page.css"),
        script=inline(_HERE / "page.js"),
        library=chart_library(),
    )


def chart_library() -> Markup:
    """plotly.js from the plotly package, which is not imported because that takes long."""
    package = find_spec("plotly")
    folder = Path(next(iter(package.submodule_search_locations or ()))) if package else Path()
    return inline(folder / "package_data" / "plotly.min.js")


@cache
def _policy() -> str:
    scripts = f"{csp_hash(chart_library())} {csp_hash(inline(_HERE / 'page.js'))}"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


@cache
def _template() -> jinja2.Template:
    environment = templates(_HERE)
    environment.filters.update({function.__name__: function for function in _FILTERS})
    environment.globals["most_rows"] = MOST_ROWS
    return environment.get_template("page.html")
