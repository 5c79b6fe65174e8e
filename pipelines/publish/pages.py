"""Web pages of one file: templates, and a policy that lets their own scripts run and no other."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

import jinja2
from markupsafe import Markup


@cache
def templates(folder: Path) -> jinja2.Environment:
    """The templates of a folder; in HTML every value is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return environment


@cache
def inline(path: Path) -> Markup:
    """A script or style of our own, as it stands within a page."""
    return Markup(path.read_text(encoding="utf-8"))  # noqa: S704  our own


@cache
def csp_hash(text: str) -> str:
    """What a Content-Security-Policy calls an inline script or style that it allows."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
