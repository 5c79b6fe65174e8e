"""The data dictionary as one page: no network, no other file, light and dark, narrow and wide."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from html import escape

from pipelines.models.headers import Model

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --soft: #5b6680; --line: #d9dee8; --back: #fff;
  --card: #f6f8fb; --accent: #2456b3; --mark: #8a4b00; --mark-back: #fff1dc }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0; --soft: #9aa5bd; --line: #333b4d;
  --back: #12161f; --card: #1a202c; --accent: #8ab4ff; --mark: #ffc27a; --mark-back: #3a2a12 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 Inter, system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif }
header, main { max-width: 70rem; margin: 0 auto; padding: 0 1rem }
h1 { margin: 2rem 0 0; font-size: 1.8rem; line-height: 1.2 }
h2 { margin: 2.5rem 0 0; font-size: 1.3rem } h3 { margin: 0; font-size: 1.05rem }
code, h3 { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace }
p { margin: .3rem 0 } .soft { color: var(--soft) }
.find { position: sticky; top: 0; padding: .8rem 0; background: var(--back); z-index: 1 }
input { width: 100%; padding: .6rem .8rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem }
::placeholder { color: var(--soft); opacity: 1 }
input:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem } a { color: var(--accent) }
section { margin: 1rem 0; padding: 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; scroll-margin-top: 5rem }
table { width: 100%; margin-top: .6rem; border-collapse: collapse }
th, td { padding: .4rem .6rem .4rem 0; text-align: left; vertical-align: top;
  border-top: 1px solid var(--line) }
th { font-weight: 600; color: var(--soft); font-size: .85rem; border: 0 }
td:first-child { width: 16rem; overflow-wrap: anywhere } td:nth-child(2) { width: 7rem }
.mask { display: inline-block; padding: 0 .5rem; font-size: .8rem; color: var(--mark);
  background: var(--mark-back); border-radius: 1rem }
[hidden] { display: none }
@media (max-width: 40rem) { thead { display: none } tr { display: block; padding: .5rem 0;
  border-top: 1px solid var(--line) } td { display: inline; padding: 0 .5rem 0 0; border: 0 }
  td:nth-child(3) { display: block } }
@media print { .find, nav { display: none } section { break-inside: avoid-page } }
"""

_SCRIPT = """
const box = document.querySelector("input"), none = document.getElementById("none");
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const fits = text => words.every(word => text.toLowerCase().includes(word));
  let shown = 0;
  for (const table of document.querySelectorAll("section")) {
    const head = fits(table.querySelector("div").textContent);
    const rows = [...table.querySelectorAll("tbody tr")];
    for (const row of rows) row.hidden = !head && !fits(table.id + " " + row.textContent);
    table.hidden = !head && rows.every(row => row.hidden);
    shown += !table.hidden;
  }
  none.hidden = shown > 0;
});
"""


def _source(text: str) -> str:
    """What a Content-Security-Policy calls an inline text that it lets through."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def page(
    schemas: Mapping[str, str], tables: Iterable[tuple[Model, Mapping[str, str]]], version: str
) -> str:
    """The whole page; each table comes with how each of its columns is masked."""
    return "\n".join(_lines(schemas, list(tables), version)) + "\n"


def _lines(
    schemas: Mapping[str, str], tables: list[tuple[Model, Mapping[str, str]]], version: str
) -> Iterator[str]:
    policy = f"default-src 'none'; style-src {_source(_STYLE)}; script-src {_source(_SCRIPT)}"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Data dictionary</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<header>"
    yield '<h1>Data dictionary</h1>\n<p class="soft">The tables of '
    yield f"<code>analytics.duckdb</code> and of the exports{version}.</p>\n</header>\n<main>"
    yield '<div class="find"><input type="search" aria-label="Filter tables and columns" '
    yield 'placeholder="Filter: a table, a column, a word" autocomplete="off"></div>\n<nav>'
    yield from (f'<a href="#{model.name}">{model.name}</a>' for model, _ in tables)
    yield '</nav>\n<p id="none" hidden>Nothing has all of these words.</p>'
    for schema, text in schemas.items():
        yield f'<h2>{schema}</h2>\n<p class="soft">{escape(text)}</p>'
        yield from (_table(model, masks) for model, masks in tables if model.schema == schema)
    yield f"</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>"


def _table(model: Model, masks: Mapping[str, str]) -> str:
    rows = "\n".join(
        f"<tr><td><code>{name}</code></td><td>{escape(column.type)}</td>"
        f"<td>{escape(column.comment)}{_badge(masks[name])}</td></tr>"
        for name, column in model.columns.items()
    )
    return (
        f'<section id="{model.name}"><div><h3>{model.name}</h3><p>{escape(model.description)}</p>'
        f'<p class="soft">One row per {escape(model.grain)}.</p></div>\n<table><thead><tr>'
        f"<th>column</th><th>type</th><th>what it is</th></tr></thead>\n<tbody>\n{rows}\n"
        "</tbody></table></section>"
    )


def _badge(text: str) -> str:
    return f' <span class="mask">{escape(text)}</span>' if text else ""
