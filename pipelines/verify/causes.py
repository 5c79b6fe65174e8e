"""What the marts on failure codes must say, from the failures of each day."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from pipelines.verify.codes import code_key

_OFTEN_MADE_UP = ("DB:0102", "CA:0051", "DB:0140", "DB:0103", "CB:0007", "MK:0021")
_FEWEST, _CHI_SQUARE = 60, 11.07
_RULES = {"pattern": 1, "none": 2}
_BLANKS = "\t\n\v\f\r"

Day = tuple[Any, ...]
"""Day in microseconds, country, operator."""


def coverage(failures: Mapping[tuple[Any, ...], int]) -> dict[Day, list[Any]]:
    """Return the rows of ``marts.code_coverage_daily``."""
    counts: defaultdict[Day, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (*cut, code, match), n in failures.items():
        row = counts[tuple(cut[:3])]
        row[3] += n
        if code is not None and not _is_blank(code):
            row[_RULES.get(match, 0)] += n
    rows = {}
    for day, (literal, pattern, unmapped, all_) in counts.items():
        found = (literal, pattern, unmapped)
        coded = sum(found)
        shares = [one / coded if coded else None for one in found]
        rows[day] = [all_, coded, *found, *shares]
    return rows


def _is_blank(code: str) -> bool:
    """Tell whether nothing of a code is to be seen; Unicode's separators are blanks, too."""
    return all(sign in _BLANKS or unicodedata.category(sign)[0] == "Z" for sign in code)


def made_up(failures: Mapping[tuple[Any, ...], int]) -> dict[Day, list[Any]]:
    """Return the rows of ``marts.suspicious_codes_daily``."""
    days: defaultdict[Day, Counter[str]] = defaultdict(Counter)
    for (*cut, code, _), n in failures.items():
        days[tuple(cut[:3])]["" if code is None else code_key(code)] += n
    rows = {}
    for day, counts in days.items():
        six = [counts[code] for code in _OFTEN_MADE_UP]
        total = sum(six)
        if min(six) and total >= _FEWEST:
            even = total / len(six)
            chi_square = sum((found - even) ** 2 / even for found in six)
            if chi_square < _CHI_SQUARE:
                share = total / counts.total()
                rows[day] = [total, min(six), max(six), chi_square, share]
    return rows
