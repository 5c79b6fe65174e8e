"""What readers are given, as a database: views, their columns and rows, and functions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import duckdb

from pipelines.verify.findings import Difference
from pipelines.verify.functions import compare_functions
from pipelines.verify.headers import Table, read_tables
from pipelines.verify.manifest import DATABASE, MANIFEST, ListedData, Manifest, Publication
from pipelines.verify.pinned import Pinned
from pipelines.verify.scratch import Row


def compare_database(
    con: duckdb.DuckDBPyConnection, pinned: Pinned, manifest: Manifest, publication: Publication
) -> Iterator[Difference]:
    """Compare the published database with the headers, and its rows with the data files."""
    rows = con.execute("""
        select schema_name || '.' || view_name from duckdb_views() where not internal
        union all
        select schema_name || '.' || table_name from duckdb_tables() where not internal
    """).fetchall()
    names = {str(name) for (name,) in rows}
    tables = {table.name: table for table in read_tables().values() if table.exported}
    for name in sorted(names ^ tables.keys()):
        fault = "is missing" if name in tables else "is there, but nothing publishes it"
        yield DATABASE, "views", f"{name} {fault}."
    files = defaultdict(list)
    for file in manifest.files:
        files[file.table].append((str(pinned.exports / file.path), file))
    stretches = {part[1]: part[5:] for part in publication.parts}
    for name in sorted(names & tables.keys()):
        try:
            yield from _compare_types(con, tables[name])
            yield from _compare_rows(con, tables[name], files[name], stretches)
        except duckdb.Error as error:
            yield DATABASE, "views", f"{name} cannot be read ({type(error).__name__})."
    for sentence in compare_functions(con):
        yield DATABASE, "functions", sentence


def _compare_types(con: duckdb.DuckDBPyConnection, table: Table) -> Iterator[Difference]:
    described = con.execute(f"describe {table.name}").fetchall()
    types = {str(row[0]): str(row[1]).lower() for row in described}
    for name in sorted(table.columns.keys() | types.keys()):
        expected, kind = table.columns.get(name), types.get(name)
        if kind is None:
            yield DATABASE, "types", f"{table.name} has no column {name}."
        elif expected is None:
            sentence = f"{table.name} has a column {name} that its header does not name."
            yield DATABASE, "types", sentence
        elif kind != expected:
            yield DATABASE, "types", f"{table.name}.{name} is {kind}, expected {expected}."


def _compare_rows(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    files: Sequence[tuple[str, ListedData]],
    stretches: Mapping[str, Row],
) -> Iterator[Difference]:
    """Compare the rows of a view with those of its data files, and these with what is listed."""
    names = ", ".join(f'"{name}"' for name in table.columns)
    # adds up what tells rows apart, in any order
    content = f"count(*), coalesce(sum(hash({names})::hugeint), 0)"
    [(count, digest)] = con.execute(f"select {content} from {table.name}").fetchall()
    listed = sum(file.rows for _, file in files)
    if count != listed:
        sentence = f"{table.name} has {count:,} rows, in the manifest it has {listed:,}."
        yield DATABASE, "rows", sentence
    if not files:
        return
    day, minute = (*table.clocks, "null", "null")[:2]
    paths = [path for path, _ in files]
    query = f"""
        select
            filename, {content}, min({day}::date), max({day}::date),
            date_trunc('minute', min({minute}::timestamp)),
            date_trunc('minute', max({minute}::timestamp))
        from read_parquet(?, hive_partitioning = false, filename = true)
        group by filename
    """
    contents = {row[0]: row[1:] for row in con.execute(query, [paths]).fetchall()}
    if (count, digest) != tuple(sum(row[n] for row in contents.values()) for n in (0, 1)):
        sentence = f"{table.name} does not have the rows of the files that the manifest lists."
        yield DATABASE, "files", sentence
    for path, file in files:
        content_of_file = contents.get(path, (0, 0, None, None, None, None))
        yield from _compare_file(table, file, content_of_file, stretches)


def _compare_file(
    table: Table, file: ListedData, content: Row, stretches: Mapping[str, Row]
) -> Iterator[Difference]:
    """Compare a data file with what is registered of it: rows, day, minutes."""
    count, _, first, last, *minutes = content
    if count != file.rows:
        sentence = f"{file.rows:,} rows of {table.name} are listed in {file.path}, not {count}."
        yield MANIFEST, "parts", sentence
    day, *registered = stretches.get(file.path, (None, None, None))
    if count and ({first, last} != {day} or (registered != minutes and any(registered))):
        stretch = f"{day} {registered[0]} to {registered[1]}"
        sentence = f"{file.path} is registered to hold {stretch}, but holds something else."
        yield "ops.export_parts", "parts", sentence
