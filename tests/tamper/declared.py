"""Every tampering, generated from the headers of the SQL files, the manifest and the report.

Those of one round are done to the same copy at once, each in another table or figure; verify must
then name every one of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pipelines.models.headers import Column, Model
from pipelines.verify.functions import published_functions
from tests.tamper import acts
from tests.tamper.copies import Copy, otherwise, published_models, stored_models

Act = Callable[[Copy], object]
"""Alters a copy."""

HARMLESS = {
    "ops.files.changed_ns": "decides whether a file is read again",
    "ops.send_files.changed_ns": "decides whether a file is read again",
    "ops.send_files.reader": "decides whether a file is read again",
    "ops.export_parts.form": "decides whether a file is written again",
    "ops.publications.form": "decides whether the database is made again",
    "ops.publications.repaired": "what a run said to its user",
    "ops.published_files": "decides what is published again",
    "ops.models": "decides which tables are computed again",
    "ops.decoded_days": "decides which days are decoded again",
    "ops.sealed_days": "decides which folders are listed again",
    "ops.stale_hours": "decides which marts are computed again; verify then waits for that",
    "ops.stale_parts": "decides which files are written again; verify then waits for that",
}
"""Tables and columns of the books that no figure comes from, and what they are for."""
_FIGURES_A_ROUND = 12


@dataclass(frozen=True)
class Tampering:
    """One thing that is wrong, and what a finding must say to have seen it."""

    name: str
    act: Act
    said: str = ""
    """Regular expression for a finding; any will do where the tampering is alone in its round."""
    agrees: bool = False
    """Whether the books of what is published say afterwards what was made of it."""

    def seen_in(self, findings: Iterable[str]) -> str | None:
        """The finding that is about this."""
        return next((one for one in findings if re.search(self.said, one)), None)


Round = Sequence[Tampering]


def rounds(copy: Copy) -> list[Round]:
    """All of them; the copy is honest, and stays so."""
    alone = [
        *_books(), *_rows_of_the_warehouse(), *_functions(), *_database(), *_manifest(copy),
        *_report(), *_exports(), *_landed(), *_sends(), *_bugs(),
    ]  # fmt: skip
    together = [*_warehouse_columns(), *_data_file_columns(), *_data_file_rows(), *_views()]
    return [*together, *_figures(copy), *([one] for one in alone)]


def _by_column(models: Iterable[Model]) -> Iterator[list[tuple[Model, str, Column]]]:
    """The first column of every table, then the second."""
    columns = [[(model, name, one) for name, one in model.columns.items()] for model in models]
    for row in zip_longest(*columns):
        yield [one for one in row if one is not None]


def _said(where: str, model: Model, name: str) -> str:
    """A finding that names table and column; of a key, which makes it another row, the table."""
    is_key = name in [key.strip() for key in model.grain.split(",")]
    return rf"^{re.escape(where)}: " + ("" if is_key else rf".*\b{name} is ")


def _is_book(model: Model) -> bool:
    return model.schema == "ops" and model.table != "ledger_by_file"


def _update(model: Model, name: str, column: Column) -> str:
    """SQL that alters a column of one row, the last one that has something there."""
    return (
        f'update {model.name} set "{name}" = {otherwise(name, column)} where rowid = '
        f'(select rowid from {model.name} order by "{name}" is null, rowid desc limit 1)'
    )


def _warehouse_columns() -> Iterator[Round]:
    """Every column of raw, core and marts, as the pipeline has them."""
    for row in _by_column(model for model in stored_models() if not _is_book(model)):
        yield [
            Tampering(
                f"warehouse {model.name}.{name}",
                partial(_alter, statement=_update(model, name, column)),
                _said(model.name, model, name),
            )
            for model, name, column in row
        ]


def _alter(copy: Copy, statement: str) -> None:
    copy.warehouse(statement)


def _books() -> Iterator[Tampering]:
    """Every column of the books."""
    for model in stored_models():
        for name, column in model.columns.items() if _is_book(model) else ():
            if not {model.name, f"{model.name}.{name}"} & HARMLESS.keys():
                act = partial(_alter, statement=_update(model, name, column))
                yield Tampering(f"book {model.name}.{name}", act)


def _rows_of_the_warehouse() -> Iterator[Tampering]:
    """Every table with a row less, and with one twice."""
    for model in stored_models():
        if model.name in HARMLESS:
            continue
        last = f"where rowid = (select max(rowid) from {model.name})"
        for what, statement in {
            "row lost": f"delete from {model.name} {last}",
            "row twice": f"insert into {model.name} from {model.name} {last}",
        }.items():
            yield Tampering(f"warehouse {model.name}: {what}", partial(_alter, statement=statement))


def _data_file_columns() -> Iterator[Round]:
    """Every published column, in a data file whose books agree: a bug of the export."""
    for row in _by_column(published_models()):
        yield [
            Tampering(
                f"data file {model.name}.{name}",
                partial(_rewrite, table=model.name, query=_altered_row(name, column)),
                _said(f"analytics.duckdb, {model.name}", model, name),
                agrees=True,
            )
            for model, name, column in row
        ]


def _rewrite(copy: Copy, table: str, query: str) -> None:
    copy.rewrite_rows(table, query)


def _altered_row(name: str, column: Column) -> str:
    return (
        f"select * exclude (place) replace (case when place = 1 then {otherwise(name, column)} "
        f'else "{name}" end as "{name}") '
        f'from (select *, row_number() over (order by "{name}" is null) as place from {{rows}})'
    )


def _data_file_rows() -> Iterator[Round]:
    """Every published table with a row less, and with one twice, in data files."""
    for what, query in {
        "row lost": "from {rows} offset 1",
        "row twice": "from {rows} union all (from {rows} limit 1)",
    }.items():
        yield [
            Tampering(
                f"data file {model.name}: {what}",
                partial(_rewrite, table=model.name, query=query),
                rf"^analytics\.duckdb, {re.escape(model.name)}: ",
                agrees=True,
            )
            for model in published_models()
        ]


def _views() -> Iterator[Round]:
    """Every view of the published database doubled, emptied, and with a column replaced."""
    for what, query in {
        "doubled": "from ({view}) union all from ({view})",
        "emptied": "from ({view}) where false",
        "a column replaced": "select * replace ({other} as {last}) from ({view})",
    }.items():
        yield [
            Tampering(
                f"view {model.name}: {what}",
                partial(_replace_view, model=model, query=query),
                rf"^analytics\.duckdb.*\b{re.escape(model.name)}\b",
                agrees=True,
            )
            for model in published_models()
        ]


def _replace_view(copy: Copy, model: Model, query: str) -> None:
    name, column = list(model.columns.items())[-1]
    with copy.database() as con:
        sql = con.execute(
            "select sql from duckdb_views() where schema_name || '.' || view_name = ?", [model.name]
        ).fetchall()[0][0]
        view = sql.partition(" AS ")[2].rstrip(";\n")
        other = otherwise(name, column)
        query = query.format(view=view, last=f'"{name}"', other=other)
        con.execute(f"create or replace view {model.name} as {query}")


def _database() -> Iterator[Tampering]:
    """The published database as a whole."""
    for what, statement in {
        "a view is missing": "drop view marts.as_of",
        "a view more": "create view marts.more as from marts.as_of",
        "a table more": "create table marts.more as from marts.as_of",
        "a table in place of a view": "drop view marts.as_of; create table marts.as_of (x int)",
        "a schema more": "create schema more; create view more.as_of as from marts.as_of",
    }.items():
        yield Tampering(f"database: {what}", partial(_execute, sql=statement), agrees=True)
    yield Tampering("database: an old one put back", acts.old_database)
    yield Tampering("database: an old one, books agree", acts.old_database, agrees=True)
    yield Tampering("database: missing", lambda copy: (copy.data / "analytics.duckdb").unlink())
    yield Tampering("database: no database", partial(_overwrite, name="../analytics.duckdb"))


def _execute(copy: Copy, sql: str) -> None:
    with copy.database() as con:
        con.execute(sql)


def _overwrite(copy: Copy, name: str) -> None:
    copy.rewrite(copy.exports / name, b"nothing")


def _functions() -> Iterator[Tampering]:
    """Every published function wrong or missing, and one more."""
    for name in sorted(published_functions()):
        for what, act in {"wrong": _wrong_function, "missing": _lost_function}.items():
            yield Tampering(
                f"function {name}: {what}", partial(act, name=name), rf"{name}\(\)", agrees=True
            )
    more = "create macro marts.shares(a, b) as a / b"
    yield Tampering("function shares: one more", partial(_execute, sql=more), agrees=True)


def _wrong_function(copy: Copy, name: str) -> None:
    with copy.database() as con:
        schema, parameters, body = con.execute(
            "select schema_name, parameters, macro_definition from duckdb_functions() "
            "where function_name = ? and not internal",
            [name],
        ).fetchall()[0]
        con.execute(
            f"create or replace macro {schema}.{name}({', '.join(parameters)}) as 1.001 * ({body})"
        )


def _lost_function(copy: Copy, name: str) -> None:
    with copy.database() as con:
        con.execute(f"drop macro {name}")


def _figures(copy: Copy) -> Iterator[Round]:
    """Every figure of the report; of rows, one for each column, the last that has something."""
    every = [
        Tampering(
            f"report {_named(path)}",
            partial(acts.figure, path=path),
            re.escape(f"{_named(path)}:"),
            agrees=True,
        )
        for path in _figure_places(copy.figures())
    ]
    for n in range(0, len(every), _FIGURES_A_ROUND):
        yield every[n : n + _FIGURES_A_ROUND]


def _named(path: tuple[Any, ...]) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


def _figure_places(figures: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for section, value in figures.items():
        if isinstance(value, list):
            for name in value[0] if value else ():
                known = [n for n, row in enumerate(value) if row[name] is not None]
                yield section, (known or [0])[-1], name
        elif isinstance(value, dict):
            for name, inner in value.items():
                deeper = inner if isinstance(inner, dict) else ()
                yield from ((section, name, one) for one in deeper)
                if not deeper:
                    yield section, name
        else:
            yield (section,)


def _report() -> Iterator[Tampering]:
    """The report as a file."""
    yield Tampering("report: a row less", partial(acts.figures_less, section="operators"), "", True)
    yield Tampering("report: figures, books as before", partial(acts.figure, path=("comparable",)))
    yield Tampering("report: another word", acts.page_text)
    yield Tampering("report: missing", lambda copy: (copy.exports / "report.html").unlink())
    yield Tampering("report: no report", partial(_overwrite, name="report.html"), agrees=True)
    yield Tampering("dictionary: another word", acts.dictionary_text)
    yield Tampering("dictionary: missing", lambda copy: (copy.exports / "dictionary.md").unlink())


def _manifest(copy: Copy) -> Iterator[Tampering]:
    """Every field of the manifest altered, every field and an entry missing, an entry more."""
    for path in _manifest_places(copy.manifest()):
        yield Tampering(
            f"manifest {_named(path)}: altered", partial(acts.manifest_field, path=path)
        )
    places: list[tuple[Any, ...]] = [(name,) for name in copy.manifest()]
    for path in (*places, ("files", 0), ("dictionary", 0), ("files", 0, "sha256")):
        act = partial(acts.manifest_without, path=path)
        yield Tampering(f"manifest {_named(path)}: missing", act)
    later = {"path": "as_of/gone.parquet", "until_utc": "2100-01-01T00:00:00"}
    yield Tampering(
        "manifest retired: one more", partial(acts.manifest_with, name="retired", entry=later)
    )
    yield Tampering("manifest files: one twice", acts.manifest_entry_twice)
    yield Tampering("manifest: empty", acts.empty_manifest)
    yield Tampering("manifest: no JSON", partial(_overwrite, name="manifest.json"))
    yield Tampering("manifest: missing", lambda copy: (copy.exports / "manifest.json").unlink())


def _manifest_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field; of a list its first entry."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _manifest_places(inner, (*path, name))
    elif isinstance(value, list):
        yield from _manifest_places(value[0], (*path, 0)) if value else ()
    else:
        yield path


def _exports() -> Iterator[Tampering]:
    """Files and links that nothing names, and others that are missing."""
    for name in (
        "delivery_hourly/2026-03-02-more.parquet",
        "sms_status/event_date=2026-03-02/more.parquet",
        "more/all.parquet",
        "more.csv",
    ):
        yield Tampering(f"exports: {name} more", partial(acts.strange_file, name=name))
    yield Tampering("exports: a data file missing", _without_data_file)
    yield Tampering("exports: a data file renamed", acts.data_file_renamed, agrees=True)
    yield Tampering("exports: a data file altered, books as before", _altered_data_file)
    yield Tampering("current: a link less", lambda copy: acts.links(copy)[0].unlink())
    yield Tampering("current: a link twice", acts.link_twice)
    yield Tampering("current: a link to another file", acts.link_to_another_file)
    yield Tampering("current: a file in place of a link", acts.link_replaced_by_file)
    yield Tampering("current: an older tree", acts.older_tree)
    yield Tampering("current: missing", lambda copy: (copy.exports / "current").unlink())


def _without_data_file(copy: Copy) -> None:
    copy.data_file("core.sms_status").unlink()


def _altered_data_file(copy: Copy) -> None:
    copy.rewrite_rows("marts.as_of", "from {rows} offset 1")


def _landed() -> Iterator[Tampering]:
    """What was landed, after it was taken."""
    first = acts.first_landed
    yield Tampering(
        "landed: another byte", lambda copy: acts.other_byte(copy, first(copy, ".jsonl"))
    )
    yield Tampering("landed: another byte, compacted", acts.other_byte_compressed)
    yield Tampering("landed: a line less", acts.last_line_lost)
    yield Tampering("landed: a file missing", lambda copy: first(copy, ".jsonl").unlink())
    yield Tampering("landed: a compacted file missing", lambda copy: first(copy, ".gz").unlink())
    yield Tampering("landed: renamed", lambda copy: acts.renamed(first(copy, ".jsonl")))


def _sends() -> Iterator[Tampering]:
    """The send log, after it was read."""
    yield Tampering("sends: another byte", lambda copy: acts.other_byte(copy, _send_file(copy)))
    yield Tampering("sends: a file missing", lambda copy: _send_file(copy).unlink())


def _send_file(copy: Copy) -> Path:
    return max(copy.settings.sends.rglob("*.csv"), key=lambda path: path.stat().st_size)


def _bugs() -> Iterator[Tampering]:
    """Wrong everywhere in the same way."""
    yield Tampering("every number French", acts.every_number_french, "country_code is FR")
