"""The data dictionary beside the exports: what each table and column is, in the words of its file.

    exports/dictionary.md     for a terminal, a wiki, a diff
    exports/dictionary.html   one page for a browser, which needs no network

`python -m pipelines.publish.dictionary` prints the Markdown; docs/dictionary.md is kept that way.
"""

from pathlib import Path

from pipelines import models
from pipelines.publish.data_files import exported_models
from pipelines.publish.pages import csp_hash, inline, templates

SCHEMAS = {
    "raw": "What came in, push by push.",
    "core": "What became of each message.",
    "marts": "Counts, rates, latencies and causes, ready to query.",
    "ops": "The ledger of the pipeline.",
}
MASKS = {
    "private": "masked: country and last four digits",
    "free_text": "phone numbers in it are struck out",
    "fragments": "long runs of digits in it are struck out",
}
"""How a column is masked, by the word in its header; DLR_EXPORT_MOBILE can change it."""
LAYOUTS = {"file": "one file", "day": "a file a day", "hive": "event_date=YYYY-MM-DD folders"}

_HERE = Path(__file__).parent


def published() -> list[models.Model]:
    """The tables readers get, schema by schema, by name."""
    schemas = list(SCHEMAS)
    tables = exported_models().values()
    return sorted(tables, key=lambda model: (schemas.index(model.schema), model.name))


def mask(model: models.Model, column: str) -> str:
    """How a column is masked; empty where it is published as it is."""
    return next((text for word, text in MASKS.items() if column in getattr(model, word)), "")


def markdown(version: str = "") -> str:
    """The dictionary as Markdown."""
    return _render("page.md", version)


def dictionary_files() -> dict[str, str]:
    """The files beside the exports: text by name."""
    version = f", schema version {models.schema_version()}"
    return {
        "dictionary.md": markdown(version),
        "dictionary.html": _render("page.html", version),
    }


def _render(template: str, version: str) -> str:
    style, script = inline(_HERE / "page.css"), inline(_HERE / "page.js")
    allowed = f"style-src {csp_hash(style)}; script-src {csp_hash(script)}"
    return (
        templates(_HERE)
        .get_template(template)
        .render(
            version=version,
            models=published(),
            schemas=SCHEMAS,
            layouts=LAYOUTS,
            mask=mask,
            style=style,
            script=script,
            policy=f"default-src 'none'; {allowed}",
        )
    )
