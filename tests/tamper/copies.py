"""A copy of an honest data folder, and the tools to alter it so that its own books agree.

Whoever alters a data file of the exports writes its size, digest and rows into the manifest and
into the books of the warehouse: what a bug of the export would do. The folder lies at one place for
all copies, because the published views name their files by absolute paths.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from contract.settings import Settings
from pipelines.models import load_models
from pipelines.models.headers import Column, Model
from tests.data_folder import settings_of
from tests.tamper.folder import OLD_DATABASE, make_folder

_FIGURES = re.compile(r'(<script type="application/json" id="figures">)(.*?)(</script>)', re.DOTALL)
_OTHERWISE = {
    "varchar": "coalesce({} || 'x', 'x')",
    "bigint": "coalesce({} + 1, 1)",
    "ubigint": "case when {0} > 0 then {0} - 1 else 1 end",
    "double": "case when {0} is null then 0.5 when isinf({0}) then 1 else {0} + 0.001 end",
    "boolean": "not coalesce({}, false)",
    "timestamp": "coalesce({} + interval 1 second, timestamp '2026-03-01 10:00:00')",
    "date": "coalesce({} + 1, date '2026-03-01')",
}


def otherwise(name: str, column: Column) -> str:
    """SQL that gives another value than stands in a column."""
    quoted = f'"{name}"'
    return f"({_OTHERWISE[column.type].format(quoted)})::{column.type}"


def stored_models() -> list[Model]:
    """Every table of the warehouse."""
    return [model for model in load_models().values() if not model.temporary]


def published_models() -> list[Model]:
    """Every table that readers get."""
    return [model for model in stored_models() if model.export]


class Copy:
    """One data folder, made once below ``root`` and put back before each tampering."""

    def __init__(self, root: Path) -> None:
        self.root, self.data = root, root / "data"
        make_folder(root)
        shutil.copytree(self.data, root / "honest", symlinks=True)

    @property
    def settings(self) -> Settings:
        """Settings of the folder."""
        return settings_of(self.data)

    @property
    def exports(self) -> Path:
        """Where the published files lie."""
        return self.data / "exports"

    def put_back(self) -> None:
        """Make the folder honest again."""
        shutil.rmtree(self.data)
        shutil.copytree(self.root / "honest", self.data, symlinks=True, copy_function=_linked)

    def rewrite(self, path: Path, content: bytes) -> None:
        """Replace a file; its time of change stays, so that only its bytes tell."""
        before = path.stat()
        path.unlink()
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def warehouse(self, *statements: str) -> None:
        """Run statements on the pipeline's database."""
        with duckdb.connect(self.data / "warehouse.duckdb") as con:
            for statement in statements:
                con.execute(statement)

    @contextmanager
    def database(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The published database, to be altered."""
        with duckdb.connect(self.data / "analytics.duckdb") as con:
            yield con

    def manifest(self) -> dict[str, Any]:
        """What the manifest says."""
        found: dict[str, Any] = json.loads((self.exports / "manifest.json").read_text("utf-8"))
        return found

    def write_manifest(self, manifest: object) -> None:
        """Replace the manifest."""
        self.rewrite(self.exports / "manifest.json", json.dumps(manifest, indent=1).encode())

    def agree(self) -> None:
        """Let the books say of every published file what it is now."""
        manifest = self.manifest()
        report = manifest.get("report")
        others = [manifest["database"], *manifest["dictionary"], *([report] if report else [])]
        altered = [one for one in (*manifest["files"], *others) if self._is_altered(one)]
        self.write_manifest(manifest)
        self.warehouse(
            *(
                f"update ops.export_parts set rows = {one['rows']}, bytes = {one['bytes']}, "
                f"sha256 = '{one['sha256']}' where path = '{one['path']}'"
                for one in altered
                if "rows" in one
            )
        )

    def _is_altered(self, one: dict[str, Any]) -> bool:
        """Bring an entry of the manifest up to date; says whether it was not."""
        path = self.exports / one["path"]
        content = path.read_bytes() if path.exists() else b""
        digest = sha256(content).hexdigest()
        if not path.exists() or digest == one["sha256"]:
            return False
        one |= {"bytes": len(content), "sha256": digest}
        if "rows" in one:
            one["rows"] = _rows(path)
        return True

    def data_file(self, table: str) -> Path:
        """A published data file of a table, with rows if one has any."""
        files = [one for one in self.manifest()["files"] if one["table"] == table]
        path: str = max(files, key=lambda one: bool(one["rows"]))["path"]
        return self.exports / path

    def rewrite_rows(self, table: str, query: str) -> None:
        """Replace a data file by what a query over ``{rows}`` gives; types and metadata stay."""
        path = self.data_file(table)
        new = path.with_name(f".{path.name}.new")
        source = f"read_parquet('{path}', hive_partitioning = false)"
        with duckdb.connect() as con:
            version = con.execute(
                f"select value::varchar from parquet_kv_metadata('{path}') "
                "where key::varchar = 'schema_version'"
            ).fetchall()[0][0]
            con.execute(
                f"copy ({query.format(rows=source)}) to '{new}' (format parquet, compression zstd, "
                f"kv_metadata {{schema_version: '{version}'}})"
            )
        new.replace(path)

    def figures(self) -> dict[str, Any]:
        """The numbers of the report."""
        found = _FIGURES.search((self.exports / "report.html").read_text("utf-8"))
        figures: dict[str, Any] = json.loads(found[2]) if found else {}
        return figures

    def write_figures(self, figures: object) -> None:
        """Put other numbers into the report."""
        page = (self.exports / "report.html").read_text("utf-8")
        text = json.dumps(figures, ensure_ascii=False).replace("<", "\\u003c")
        page = _FIGURES.sub(lambda found: found[1] + text + found[3], page)
        self.rewrite(self.exports / "report.html", page.encode())

    @property
    def old_database(self) -> Path:
        """A published database of an earlier state."""
        return self.root / OLD_DATABASE


def _linked(source: str, target: str) -> None:
    """Databases are written in place; every other file is replaced, so that a link will do."""
    if source.endswith(".duckdb"):
        shutil.copy2(source, target)
    else:
        os.link(source, target)


def _rows(path: Path) -> int:
    with duckdb.connect() as con:
        query = f"select sum(num_rows)::bigint from parquet_file_metadata('{path}')"
        return int(con.execute(query).fetchall()[0][0])
