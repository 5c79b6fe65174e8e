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
    nodes: list[dict[str, Any]] = []

    def keep(node: dict[str, Any]) -> dict[str, Any]:
        """Called for every object of the tree."""
        for name in _POSITIONS:
            node.pop(name, None)
        nodes.append(node)
        return node

    [(text,)] = parser().execute("select json_serialize_sql(?)", [sql]).fetchall()
    answer = json.loads(text, object_hook=keep)
    if answer["error"]:
        raise SqlError(answer["error_message"])
    tree = answer["statements"]
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
def parser() -> duckdb.DuckDBPyConnection:
    """The connection that parses."""
    return duckdb.connect()


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
