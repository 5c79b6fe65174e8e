"""What a carrier's failure code means, by the rules of the provider's notes.

The literal code for the number's operator; for any operator; under other operators, where they
agree on the category; a pattern; none.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from pipelines.verify.functions import code_key

REFERENCE = Path(__file__).resolve().parents[2] / "warehouse" / "reference"

_ANY = "*"
_MOST_REMEMBERED = 1 << 16


class Meaning(NamedTuple):
    """The columns of a message that follow from its code."""

    category: str
    party: str | None
    permanent: str | None
    match: str | None


class _Literal(NamedTuple):
    category: str
    permanent: str | None


_DELIVERED = Meaning("delivered", None, None, None)


def reference_version() -> str:
    """Return a digest over the reference data, as the ledger notes it."""
    digest = sha256()
    for path in sorted(REFERENCE.glob("*.csv")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=1)
def carrier_codes(version: str) -> "CarrierCodes":  # noqa: ARG001  another version is read anew
    """Read the tables of ``reference_version()``."""
    return CarrierCodes()


class CarrierCodes:
    """The tables of ``warehouse/reference``, and the order of rules over them."""

    def __init__(self) -> None:
        categories = reference_rows("error_categories")
        self._parties = {row["category"]: row["party"] or None for row in categories}
        self._literals: dict[tuple[str, str], _Literal] = {}
        self._elsewhere: dict[str, set[_Literal]] = defaultdict(set)
        for row in reference_rows("carrier_errors"):
            key = code_key(row["code"]) or ""
            literal = _literal(row)
            self._literals[row["operator"], key] = literal
            if row["operator"] != _ANY:
                self._elsewhere[key].add(literal)
        self._patterns = [
            (row["operator"], re.compile(row["pattern"], re.ASCII), _literal(row))
            for row in reference_rows("carrier_error_patterns")
        ]
        self._remembered = lru_cache(_MOST_REMEMBERED)(self._look_up)

    def meaning(self, *, success: bool, operator: str | None, code: str | None) -> Meaning:
        """Look a report's code up; what was delivered needs none."""
        return _DELIVERED if success else self._remembered(operator, code)

    def _look_up(self, operator: str | None, code: str | None) -> Meaning:
        key = code_key(code)
        literal, rule = self._rule(operator, key) if key is not None else (None, "none")
        category, permanent = literal or ("unknown", "unknown")
        return Meaning(category, self._parties[category], permanent, rule)

    def _rule(self, operator: str | None, key: str) -> tuple[_Literal | None, str]:
        if operator is not None and (operator, key) in self._literals:
            return self._literals[operator, key], "operator"
        if (_ANY, key) in self._literals:
            return self._literals[_ANY, key], "any_operator"
        agreed = self._agreed(key)
        if agreed:
            return agreed, "other_operators"
        for owner in (operator, _ANY):
            for named, pattern, literal in self._patterns:
                if named == owner and pattern.search(key):
                    return literal, "pattern"
        return None, "none"

    def _agreed(self, key: str) -> _Literal | None:
        """Return what other operators mean, if all mean the same kind of failure."""
        literals = self._elsewhere.get(key, set())
        if len({literal.category for literal in literals}) != 1:
            return None
        permanent = {literal.permanent for literal in literals}
        category = next(iter(literals)).category
        return _Literal(category, permanent.pop() if len(permanent) == 1 else "unknown")


def _literal(row: dict[str, str]) -> _Literal:
    return _Literal(row["category"], None if row["permanent"] == "n/a" else row["permanent"])


def reference_rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a file below ``warehouse/reference``."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
