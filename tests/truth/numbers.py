"""Whose number it is, by the ranges of `warehouse/reference/number_ranges.csv`."""

import csv
from bisect import bisect_right
from functools import cache
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "warehouse" / "reference"


@cache
def _ranges() -> tuple[list[str], list[tuple[str | None, str | None]]]:
    with (REFERENCE / "number_ranges.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows.sort(key=lambda row: row["range_start"])
    owners = [(row["country_code"] or None, row["operator"] or None) for row in rows]
    return [row["range_start"] for row in rows], owners


@cache
def owner(e164: str) -> tuple[str | None, str | None]:
    """Country and operator of a number in E.164."""
    starts, owners = _ranges()
    return owners[bisect_right(starts, e164.removeprefix("+").ljust(15, "0")) - 1]
