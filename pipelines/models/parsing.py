"""SQL as DuckDB's own parser reads it: what a query uses, and what it means.

A comment, a blank or a line break changes nothing here; a table that is only named in a comment is
no dependency.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

_POSITIONS = frozenset({"query_location", "query_location_length"})


class SqlError(ValueError):
    """A text is not one SELECT that DuckDB can parse; the message is the parser's."""


@dataclass(frozen=True, slots=True)
class Query:
    """What one SELECT uses, by the names it uses."""

    tables: frozenset[str]
    """Tables and views, with their schema where it is written; its own CTEs are left out."""
    columns: frozenset[str]
    """Last part of each column's name."""
    functions: frozenset[str]
    variables: frozenset[str]
    """Variables asked for with getvariable()."""
    meaning: str
    """The syntax tree as text: equal for queries that differ in comments and layout alone."""


@cache
def parse(sql: str) -> Query:
    """Parse one SELECT. Raises SqlError where it is none."""
    answer = json.loads(_parser().execute("select json_serialize_sql(?)", [sql]).fetchall()[0][0])
    if answer["error"]:
        raise SqlError(answer["error_message"])
    tree = _without_positions(answer["statements"])
    nodes = list(_nodes(tree))
    calls = [node for node in nodes if node.get("class") == "FUNCTION"]
    return Query(
        tables=frozenset(_tables(tree, frozenset())),
        columns=frozenset(
            node["column_names"][-1] for node in nodes if node.get("class") == "COLUMN_REF"
        ),
        functions=frozenset(call["function_name"] for call in calls),
        variables=frozenset(_variables(calls)),
        meaning=json.dumps(tree, sort_keys=True, ensure_ascii=False),
    )


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def _without_positions(node: Any) -> Any:  # noqa: ANN401  any JSON
    if isinstance(node, dict):
        return {
            name: _without_positions(part) for name, part in node.items() if name not in _POSITIONS
        }
    return [_without_positions(part) for part in node] if isinstance(node, list) else node


def _nodes(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  any JSON
    """Every object of the tree, from the top down."""
    if isinstance(node, dict):
        yield node
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for part in parts:
        yield from _nodes(part)


def _tables(node: Any, ctes: frozenset[str]) -> Iterator[str]:  # noqa: ANN401  any JSON
    """Tables read below a node in which the names ``ctes`` stand for queries of its own."""
    if isinstance(node, list):
        for part in node:
            yield from _tables(part, ctes)
    elif isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            name = ".".join(node["qualified_name"]["path"])
            yield from () if name in ctes else (name,)
        if "cte_name" in node:
            # a recursive query reads itself
            ctes |= {node["cte_name"]}
        # a CTE sees those before it, and not itself
        for entry in node.get("cte_map", {}).get("map", ()):
            yield from _tables(entry["value"], ctes)
            ctes |= {entry["key"]}
        for name, part in node.items():
            if name != "cte_map":
                yield from _tables(part, ctes)


def _variables(calls: list[dict[str, Any]]) -> Iterator[str]:
    for call in calls:
        if call["function_name"] == "getvariable":
            name = call["arguments"][0]["expression"]
            if name["class"] != "CONSTANT":
                raise SqlError("getvariable() takes the name of a variable, written out")
            yield name["literal"]["text"]
