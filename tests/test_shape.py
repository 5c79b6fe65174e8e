"""No module of the product is long, and no function: what grows is taken apart in time."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT

PACKAGES = ("cli", "contract", "ingest", "pipelines", "simulator")
MODULE_LINES = 250
FUNCTION_LINES = 40
TABLES: dict[str, str] = {}
"""Functions, as ``package/module.py::name``, that are one declared table; the reason why."""

MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines of every function, from its first decorator to its end."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            assert node.end_lineno is not None
            name = f"{path.relative_to(ROOT)}::{node.name}"
            yield name, node.end_lineno - first + 1


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_long(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MODULE_LINES, f"{path.relative_to(ROOT)} has {lines} lines"
    long = {
        name: lines
        for name, lines in functions(path)
        if lines > FUNCTION_LINES and name not in TABLES
    }
    assert long == {}


def test_every_declared_table_is_there_and_needs_its_leave() -> None:
    known = {name: lines for path in MODULES for name, lines in functions(path)}
    assert [name for name in TABLES if known.get(name, 0) <= FUNCTION_LINES] == []
