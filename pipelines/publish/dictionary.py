"""The data dictionary beside the exports: what each table and column is, in the words of its file.

    exports/dictionary.md     for a terminal, a wiki, a diff
    exports/dictionary.html   one page for a browser, which needs no network

`python -m pipelines.publish.dictionary` prints the Markdown; docs/dictionary.md is kept that way.
"""

from collections.abc import Iterator

from pipelines import models
from pipelines.publish.dictionary_page import page

SCHEMAS = {
    "raw": "What came in, push by push.",
    "core": "What became of each message.",
    "marts": "What people ask for: counts, rates, latencies, causes.",
    "ops": "The books of the pipeline.",
}
MASKS = {
    "private": "masked: country and last four digits",
    "free_text": "phone numbers in it are struck out",
    "fragments": "long runs of digits in it are struck out",
}
"""What readers get of such a column, by the header's word; DLR_EXPORT_MOBILE can change it."""
LAYOUTS = {"file": "one file", "day": "a file a day", "hive": "event_date=YYYY-MM-DD folders"}


def published() -> list[models.Model]:
    """The tables readers get, schema by schema, by name."""
    found = [model for model in models.load_models().values() if model.export]
    return sorted(found, key=lambda model: (list(SCHEMAS).index(model.schema), model.name))


def mask(model: models.Model, column: str) -> str:
    """How readers get a column, empty where it is as it stands in the warehouse."""
    return next((text for word, text in MASKS.items() if column in getattr(model, word)), "")


def layout(model: models.Model) -> str:
    """How the table lies in Parquet."""
    return LAYOUTS[model.export.layout] if model.export else ""


def markdown(version: str = "") -> str:
    """The dictionary as Markdown."""
    return "\n".join(_markdown_lines(version)) + "\n"


def _markdown_lines(version: str) -> Iterator[str]:
    yield from ("# Data dictionary", "")
    yield f"The tables of `analytics.duckdb` and of the exports{version}."
    schema = ""
    for model in published():
        if model.schema != schema:
            schema = model.schema
            yield from ("", f"## {schema}", "", SCHEMAS[schema])
        yield from ("", f"### {model.name}", "", model.description)
        yield from ("", f"One row per {model.grain}. In Parquet: {layout(model)}.", "")
        yield "| column | type | what it is | masking |"
        yield "|---|---|---|---|"
        for name, column in model.columns.items():
            cells = (f"`{name}`", column.type, column.comment, mask(model, name))
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def dictionary_files() -> dict[str, str]:
    """The files beside the exports: text by name."""
    version = f", schema version {models.schema_version()}"
    tables = [(model, {name: mask(model, name) for name in model.columns}) for model in published()]
    return {
        "dictionary.md": markdown(version),
        "dictionary.html": page(SCHEMAS, tables, version),
    }


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201  a command prints
