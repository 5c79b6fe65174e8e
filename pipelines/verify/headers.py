"""Which tables there are, and which readers get: the headers of ``warehouse/``, read once more."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

WAREHOUSE = Path(__file__).resolve().parents[2] / "warehouse"
_SCHEMAS = ("raw", "core", "ops", "marts")
_STEPS = ("temporary", "view")
"""What a model says that is not stored."""
_CLOCK = re.compile("[a-z_]+")
_HEADER = re.compile(r"\s*/\*(.*?)\*/", re.DOTALL)


@dataclass(frozen=True)
class Table:
    """A stored table: its columns with their types, its key, and what readers do not get plain."""

    name: str
    columns: dict[str, str]
    grain: str
    exported: bool = False
    clocks: tuple[str, ...] = ()
    """Columns by whose times its rows are dealt to files: the day, and the minute below it."""
    private: tuple[str, ...] = ()
    free_text: tuple[str, ...] = ()
    fragments: tuple[str, ...] = ()

    @property
    def relation(self) -> str:
        """Its name in the scratch database."""
        return self.name.replace(".", "_")

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Columns that tell a row from the others; all of them where none are named."""
        names = tuple(name.strip() for name in self.grain.split(","))
        return names if set(names) <= self.columns.keys() else tuple(self.columns)


@lru_cache(1)
def read_tables() -> dict[str, Table]:
    """Return every stored table by its name."""
    tables = {}
    for path in sorted(path for schema in _SCHEMAS for path in WAREHOUSE.glob(f"{schema}/*.sql")):
        match = _HEADER.match(path.read_text("utf-8"))
        header = yaml.load(match[1], Loader=yaml.CSafeLoader) if match else {}
        if "columns" in header and header.get("materialized") not in _STEPS:
            name = f"{path.parent.name}.{path.stem}"
            tables[name] = _table(name, header)
    return tables


def _table(name: str, header: dict[str, Any]) -> Table:
    columns = {column: text.partition(" -- ")[0] for column, text in header["columns"].items()}
    hidden = {word: tuple(header.get(word, ())) for word in ("private", "free_text", "fragments")}
    clocks = tuple(_CLOCK.findall(str(header.get("export", "")).partition("(")[2]))
    return Table(name, columns, header["grain"], "export" in header, clocks, **hidden)


@lru_cache(1)
def hidden_columns() -> frozenset[str]:
    """Return the names of columns in which a mobile may stand, in any table."""
    tables = read_tables().values()
    hidden = (
        name for table in tables for name in table.private + table.free_text + table.fragments
    )
    return frozenset(hidden) - {"file"}
