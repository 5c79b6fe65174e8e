"""What the digits of a mobile say, by the library ``phonenumbers`` and not by its range tables.

The range table decides only where the library knows no country, because the range is unassigned.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumber,
    country_code_for_region,
)
from phonenumbers.carrierdata import CARRIER_DATA
from phonenumbers.phonenumberutil import region_code_for_number

from pipelines.verify.reference import reference_rows

_WORLD = "001"
_DIGITS = re.compile(r"\+?[0-9]+")
_DECIMAL = re.compile(r"\+?[0-9]{7,}\.[0-9]*")
_SPELLED = str.maketrans("０１２３４５６７８９＋", "0123456789+", " -()./　－（）．／")
_MOST_REMEMBERED = 1 << 16


class Number(NamedTuple):
    """What a mobile is; all None where it is no plausible number."""

    e164: str | None = None
    country: str | None = None
    operator: str | None = None


class _Plan(NamedTuple):
    """Numbers below one calling code, by its main region."""

    code: str
    regions: tuple[str, ...]
    prefix: str
    """What is dialled before a number at home."""
    lengths: tuple[int, ...]
    mobile_lengths: tuple[int, ...]
    operator_digits: int
    """How many digits, with the code, may tell the operator."""


_NONE = Number()


def number_reader(home_region: str) -> Callable[[str | None], Number]:
    """Return what reads mobiles; those without a country are of the region named."""
    home = _plan(f"{country_code_for_region(home_region)}00"[:3])

    def read(mobile: str | None) -> Number:
        digits = _international(mobile, home) if mobile else ""
        plan = _plan(digits[:3])
        if plan is None:
            return _NONE
        national = digits[len(plan.code) :]
        trimmed = national.removeprefix(plan.prefix)
        # a prefix is dialled at home only where a number follows it
        national = trimmed if len(trimmed) in plan.lengths else national
        if len(national) not in plan.lengths:
            return _NONE
        digits = plan.code + national
        is_mobile = len(national) in plan.mobile_lengths
        operator = _operator(digits[: plan.operator_digits]) if is_mobile else None
        return Number("+" + digits, _country(plan, national), operator)

    return read


@lru_cache(None)
def _plan(three_digits: str) -> _Plan | None:
    """Return the numbers below the calling code that these digits begin with, if there is one."""
    if len(three_digits) < 3 or three_digits[0] == "0":
        return None
    prefixes = (three_digits[:n] for n in (1, 2, 3))
    code = next((digits for digits in prefixes if int(digits) in COUNTRY_CODE_TO_REGION_CODE), None)
    if code is None:
        return None
    regions = COUNTRY_CODE_TO_REGION_CODE[int(code)]
    # Any: the library says of everything in it that it may be None
    metadata: Any = PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0])
    lengths, mobile = metadata.general_desc.possible_length, metadata.mobile
    mobile_lengths = (
        mobile.possible_length if mobile and mobile.national_number_pattern else lengths
    )
    longest = max((len(digits) for digits in CARRIER_DATA if digits.startswith(code)), default=0)
    return _Plan(code, regions, metadata.national_prefix or "", lengths, mobile_lengths, longest)


def _international(mobile: str, home: _Plan | None) -> str:
    """Return calling code and national digits as dialled; empty where other signs are in it."""
    text = mobile
    if not _DIGITS.fullmatch(text):
        text = text.translate(_SPELLED)
        if not _DIGITS.fullmatch(text) or _DECIMAL.fullmatch(mobile):
            return ""
    if text[0] == "+":
        return text[1:]
    if text[:2] == "00":
        return text[2:]
    if home is None:
        return ""
    has_code = text.startswith(home.code) and len(text) - len(home.code) in home.mobile_lengths
    return text if has_code else home.code + text


def _country(plan: _Plan, national: str) -> str | None:
    if len(plan.regions) == 1:
        return plan.regions[0] if plan.regions[0] != _WORLD else None
    zeros = len(national) - len(national.lstrip("0"))
    number = PhoneNumber(
        country_code=int(plan.code),
        national_number=int(national),
        italian_leading_zero=zeros > 0,
        number_of_leading_zeros=zeros or None,
    )
    return region_code_for_number(number) or _range_country(plan.code + national)


@lru_cache(_MOST_REMEMBERED)
def _operator(digits: str) -> str | None:
    prefixes = (digits[:length] for length in range(len(digits), 0, -1))
    names = next((CARRIER_DATA[prefix] for prefix in prefixes if prefix in CARRIER_DATA), {})
    return _slug(names.get("en", ""))


@lru_cache(None)
def _slug(name: str) -> str | None:
    """Return a name in lower snake case; UTF-8 that was read as Latin-1 is put right before."""
    with suppress(UnicodeError):
        name = name.encode("latin-1").decode()
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "_".join(re.findall("[a-z0-9]+", plain)) or None


def _range_country(digits: str) -> str | None:
    place = bisect_right(_ranges(), digits.ljust(15, "0"), key=itemgetter(0))
    return _ranges()[place - 1][1] or None


@lru_cache(1)
def _ranges() -> list[tuple[str, str]]:
    rows = reference_rows("number_ranges")
    return [(row["range_start"], row["country_code"]) for row in rows]
