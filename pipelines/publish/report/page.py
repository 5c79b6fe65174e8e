"""One HTML file that needs nothing else: style, script, chart library and numbers within it.

A policy in the page's head lets run the two scripts whose digests it names and nothing more, and
load nothing at all. Styles are free: the chart library sets them as it draws.
"""

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import jinja2
from markupsafe import Markup

from pipelines.publish.report import cards, words
from pipelines.publish.report.figures import Figures

_HERE = Path(__file__).parent
_LINE_ENDS = {ord("\u2028"): "\\u2028", ord("\u2029"): "\\u2029"}
MOST_ROWS = 12
"""Rows of a table that are shown at once; the rest is one click away."""


def render(figures: Figures) -> str:
    """The page."""
    full = bool(figures["period"])
    return _template().render(
        figures=figures,
        data=Markup(as_data(figures)),  # noqa: S704  escaped for where it stands
        cards=cards.cards(figures) if full else [],
        interval=cards.main_interval(figures) if full else "",
        intervals=cards.INTERVALS,
        policy=_policy(),
        style=Markup(_text("page.css")),  # noqa: S704  our own
        script=Markup(_text("page.js")),  # noqa: S704  our own
        library=Markup(chart_library()),  # noqa: S704  of the package we depend on
    )


def as_data(figures: Figures) -> str:
    """JSON that may stand in a script element: nothing in it can end the element."""
    text = json.dumps(figures, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.translate(_LINE_ENDS)


@cache
def chart_library() -> str:
    """plotly.js as it lies in the plotly package, which is not imported: it needs a while."""
    found = find_spec("plotly")
    folder = Path(next(iter(found.submodule_search_locations or ()))) if found else Path()
    return (folder / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


@cache
def _policy() -> str:
    scripts = " ".join(_digest(text) for text in (chart_library(), _text("page.js")))
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for write in (
        words.number,
        words.exact,
        words.percent,
        words.points,
        words.seconds,
        words.within,
        words.moment,
        words.day,
        words.label,
        words.glue,
    ):
        environment.filters[write.__name__] = write
    environment.globals["most_rows"] = MOST_ROWS
    return environment.get_template("page.html")
