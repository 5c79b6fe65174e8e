"""What readers are given, as a database: views, their columns and rows, and functions."""

from collections import defaultdict
from pathlib import Path

import duckdb

from pipelines.verify.findings import Findings
from pipelines.verify.functions import compare_functions
from pipelines.verify.headers import Table, read_tables
from pipelines.verify.manifest import DATABASE, MANIFEST, Publication
from pipelines.verify.scratch import Named, Row

_NOTHING: Row = (0, None, None, None, None)


class DatabaseCheck:
    """Compares the published database with the headers, and its rows with the manifest's files."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        manifest: Named,
        exports: Path,
        publication: Publication,
        findings: Findings,
    ) -> None:
        self._con, self._exports, self._findings = con, exports, findings
        self._stretches = publication.stretches
        self._files = defaultdict(list)
        for file in manifest["files"]:
            self._files[file["table"]].append(file)

    def run(self) -> None:
        """Compare everything in it."""
        rows = self._con.execute("""
            select schema_name || '.' || view_name from duckdb_views() where not internal
            union all
            select schema_name || '.' || table_name from duckdb_tables() where not internal
        """).fetchall()
        views = {str(row[0]) for row in rows}
        expected = {table.name: table for table in read_tables().values() if table.exported}
        for name in sorted(views ^ expected.keys()):
            fault = "is missing" if name in expected else "is there, but nothing publishes it"
            self._findings.add(DATABASE, f"{name} {fault}.", "views")
        for name in sorted(views & expected.keys()):
            try:
                self._compare_types(expected[name])
                self._compare_rows(expected[name])
            except duckdb.Error as error:
                sentence = f"{name} cannot be read ({type(error).__name__})."
                self._findings.add(DATABASE, sentence, "views")
        for sentence in compare_functions(self._con):
            self._findings.add(DATABASE, sentence, "functions")

    def _compare_types(self, table: Table) -> None:
        described = self._con.execute(f"describe {table.name}").fetchall()
        stored = {str(row[0]): str(row[1]).lower() for row in described}
        for name in table.columns.keys() | stored.keys():
            expected, kind = table.columns.get(name), stored.get(name)
            if kind is None:
                sentence = f"{table.name} has no column {name}."
            elif expected is None:
                sentence = f"{table.name} has a column {name} that its header does not name."
            else:
                sentence = f"{table.name}.{name} is {kind}, expected {expected}."
            if kind != expected:
                self._findings.add(DATABASE, sentence, "types")

    def _compare_rows(self, table: Table) -> None:
        files = self._files[table.name]
        content = self._content(table, table.name)
        count, listed = content[0], sum(file["rows"] for file in files)
        if count != listed:
            sentence = f"{table.name} has {count:,} rows, in the manifest it has {listed:,}."
            self._findings.add(DATABASE, sentence, "rows")
        if not files:
            return
        names = (str(self._exports / file["path"]).replace("'", "''") for file in files)
        paths = ", ".join(f"'{name}'" for name in names)
        source = f"read_parquet([{paths}], hive_partitioning = false, filename = true)"
        if content != self._content(table, source):
            sentence = f"{table.name} does not have the rows of the files that the manifest lists."
            self._findings.add(DATABASE, sentence, "files")
        self._compare_files(table, source)

    def _content(self, table: Table, source: str) -> Row:
        """Count rows, and add up what tells them apart, in any order."""
        columns = ", ".join(f'"{name}"' for name in table.columns)
        query = f"select count(*), sum(hash({columns})::hugeint) from {source}"
        return tuple(self._con.execute(query).fetchall()[0])

    def _compare_files(self, table: Table, source: str) -> None:
        """Compare each data file with what is registered of it: rows, day, minutes."""
        day, minute = (*table.clocks, "null", "null::timestamp")[:2]
        minute = minute if len(table.clocks) > 1 else "null::timestamp"
        rows = self._con.execute(f"""
            select
                filename, count(*), min({day}::date), max({day}::date),
                date_trunc('minute', min({minute})), date_trunc('minute', max({minute}))
            from {source}
            group by filename
        """).fetchall()
        contents = {str(row[0]): row[1:] for row in rows}
        for file in self._files[table.name]:
            path = file["path"]
            count, first, last, *minutes = contents.get(str(self._exports / path), _NOTHING)
            if count != file["rows"]:
                sentence = (
                    f"{file['rows']:,} rows of {table.name} are listed in {path}, not {count}."
                )
                self._findings.add(MANIFEST, sentence, "parts")
            own_day, *own_minutes = self._stretches.get(path, (None, None, None))
            if count and (
                {first, last} != {own_day} or (own_minutes != minutes and any(own_minutes))
            ):
                stretch = f"{own_day} {own_minutes[0]} to {own_minutes[1]}"
                sentence = f"{path} is registered to hold {stretch}, but holds something else."
                self._findings.add("ops.export_parts", sentence, "parts")
