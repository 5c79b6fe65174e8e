"""What a failure code means: literals first, then patterns, as the provider's notes order them."""

import csv
import re
import unicodedata
from functools import cache
from typing import NamedTuple

from tests.truth.numbers import REFERENCE


class Meaning(NamedTuple):
    """What stands in the tables for one code of one operator."""

    match: str
    category: str
    party: str | None
    permanent: str | None


def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _literals() -> dict[str, dict[str, tuple[str, str | None]]]:
    """By code, then operator: category and permanence."""
    found: dict[str, dict[str, tuple[str, str | None]]] = {}
    for row in _rows("carrier_errors"):
        permanent = None if row["permanent"] == "n/a" else row["permanent"]
        by_operator = found.setdefault(code_key(row["code"]), {})
        by_operator[row["operator"]] = (row["category"], permanent)
    return found


@cache
def _patterns() -> list[dict[str, str]]:
    return _rows("carrier_error_patterns")


@cache
def _parties() -> dict[str, str | None]:
    return {row["category"]: row["party"] or None for row in _rows("error_categories")}


def code_key(code: str) -> str:
    """NFKC, trimmed, upper-case, no blanks around a colon."""
    parts = unicodedata.normalize("NFKC", code).strip().split(":")
    last = len(parts) - 1
    tidy = [
        (part if n == 0 else part.lstrip())
        if n == last
        else (part.rstrip() if n == 0 else part.strip())
        for n, part in enumerate(parts)
    ]
    return ":".join(tidy).upper()


@cache
def meaning(operator: str | None, code: str | None) -> Meaning:
    """What ``code`` means for a number of ``operator``."""
    match, category, permanent = _look_up(operator, None if code is None else code_key(code))
    return Meaning(match, category, _parties()[category], permanent)


def _look_up(operator: str | None, key: str | None) -> tuple[str, str, str | None]:
    if key is None:
        return "none", "unknown", "unknown"
    literal = _literals().get(key, {})
    if operator in literal:
        return ("operator", *literal[operator])
    if "*" in literal:
        return ("any_operator", *literal["*"])
    categories = {category for category, _ in literal.values()}
    if len(categories) == 1:
        permanences = {permanent for _, permanent in literal.values()}
        agreed = permanences.pop() if len(permanences) == 1 else "unknown"
        return "other_operators", categories.pop(), agreed
    for wanted in (operator, "*"):
        for row in _patterns():
            if row["operator"] == wanted and re.search(row["pattern"], key):
                permanent = None if row["permanent"] == "n/a" else row["permanent"]
                return "pattern", row["category"], permanent
    return "none", "unknown", "unknown"
