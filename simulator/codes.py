"""What carriers say when a message fails: ``carrier_codes.csv``, real codes of each operator.

The codes and their causes are public (``warehouse/reference/carrier_errors.csv`` names the source
of each); their weights are an assumption, as is the mix of parties. The file's last three stand in
no public table and match no pattern: any operator may report them.
"""

import csv
import random
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple


class CarrierCode(NamedTuple):
    """One code as a carrier reports it."""

    code: str
    """The value of ``error_msg``."""
    detail: str
    """The value of ``error_detail``, Chinese as most carriers write it."""
    weight: int
    """How often it occurs, relative to the other codes of its operator and party."""


PARTIES: Mapping[str, float] = {
    "recipient": 0.60,
    "policy": 0.20,
    "network": 0.15,
    "handset": 0.045,
    "unknown": 0.005,
}
"""Share of each party in the failures. An assumption; no operator publishes its own."""

REPORT_DELAY_MEDIAN_S: Mapping[str, float] = {
    "recipient": 15.0,
    "policy": 1.0,
    "network": 600.0,
    "handset": 30.0,
    "unknown": 30.0,
}
"""Median seconds from sending to the carrier's final status. An assumption."""

_PARTY_NAMES = tuple(PARTIES)
_PARTY_BOUNDS = tuple(accumulate(PARTIES.values()))


def _read_codes() -> dict[tuple[str, str], list[CarrierCode]]:
    """Codes by operator and party, in the order of the file; any operator has the unknown ones."""
    codes: dict[tuple[str, str], list[CarrierCode]] = {}
    with Path(__file__).with_name("carrier_codes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code = CarrierCode(row["code"], row["detail"], int(row["weight"]))
            codes.setdefault((row["operator"], row["party"]), []).append(code)
    unknown = codes.pop(("", "unknown"))
    operators = dict.fromkeys(operator for operator, _ in codes)
    return codes | {(operator, "unknown"): unknown for operator in operators}


CODES: Mapping[tuple[str, str], Sequence[CarrierCode]] = _read_codes()
"""Every code that can be drawn, by operator and party."""
_BOUNDS = {key: tuple(accumulate(code.weight for code in codes)) for key, codes in CODES.items()}


def draw_failure(rng: random.Random, operator: str) -> tuple[str, CarrierCode]:
    """Draw the party at fault and the code ``operator`` reports for it."""
    party = rng.choices(_PARTY_NAMES, cum_weights=_PARTY_BOUNDS)[0]
    key = operator, party
    return party, rng.choices(CODES[key], cum_weights=_BOUNDS[key])[0]
