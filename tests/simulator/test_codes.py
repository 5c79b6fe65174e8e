"""The embedded codes mean in the reference data what the simulator takes them for."""

import csv
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest

from simulator.codes import CODES, CarrierCode

REFERENCE = Path(__file__).parents[2] / "warehouse" / "reference"
PARTY_OF = {
    "invalid_number": "recipient",
    "suspended": "recipient",
    "unreachable": "recipient",
    "recipient_unavailable": "recipient",
    "service_barred": "recipient",
    "handset_error": "handset",
    "blocklisted": "policy",
    "content_blocked": "policy",
    "rate_limited": "policy",
    "routing": "network",
    "network_error": "network",
    "expired": "network",
}


def read(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def literals() -> Mapping[tuple[str, str], str]:
    return {(row["operator"], row["code"]): row["category"] for row in read("carrier_errors.csv")}


def category(operator: str, code: str, literals: Mapping[tuple[str, str], str]) -> str | None:
    """Look a code up by the rule order of the provider's notes; None where nothing covers it."""
    normal = re.sub(r"\s*:\s*", ":", unicodedata.normalize("NFKC", code).strip().upper())
    for key in ((operator, normal), ("*", normal)):
        if key in literals:
            return literals[key]
    elsewhere = {found for (_, other), found in literals.items() if other == normal}
    if len(elsewhere) == 1:
        return elsewhere.pop()
    for row in read("carrier_error_patterns.csv"):
        if row["operator"] in (operator, "*") and re.search(row["pattern"], normal):
            return row["category"]
    return None


@pytest.mark.parametrize(
    ("operator", "party", "code"),
    [(*key, code) for key, codes in CODES.items() for code in codes],
)
def test_each_code_is_the_fault_of_its_party(
    operator: str, party: str, code: CarrierCode, literals: Mapping[tuple[str, str], str]
) -> None:
    found = category(operator, code.code, literals)
    assert (found is None) == (party == "unknown")
    assert found is None or PARTY_OF[found] == party
