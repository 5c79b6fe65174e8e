"""What the digits of a mobile say, by the library ``phonenumbers`` and not by its range tables.

Only where the library knows no country for a number, because nobody was given that range, the
table's word is taken.
"""

import csv
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber
from phonenumbers.carrierdata import CARRIER_DATA
from phonenumbers.phonenumberutil import region_code_for_number

from pipelines.verify.codes import REFERENCE

_WORLD = "001"
_LONGEST_CARRIER_PREFIX = max(map(len, CARRIER_DATA))
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
    lengths: frozenset[int]
    mobile_lengths: frozenset[int]


NumberReader = Callable[[str | None], Number]


def number_reader(home_region: str) -> NumberReader:
    """Return what reads mobiles; those without a country are of the region named."""
    home = next((_plan(c) for c, r in COUNTRY_CODE_TO_REGION_CODE.items() if home_region in r), None)

    @lru_cache(_MOST_REMEMBERED)
    def read(mobile: str | None) -> Number:
        digits = _international(mobile, home) if mobile else None
        plan = digits and next(filter(None, (_plan(digits[:n]) for n in (1, 2, 3))), None)
        if not digits or not plan or len(digits) < 3:
            return Number()
        national = _trimmed(digits[len(plan.code) :], plan)
        if len(national) not in plan.lengths:
            return Number()
        operator = _operator(plan.code + national)
        return Number(
            f"+{plan.code}{national}",
            _country(plan, national),
            operator if len(national) in plan.mobile_lengths else None,
        )

    return read


@lru_cache(None)
def _plan(code: int | str) -> _Plan | None:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if str(code)[0] != "0" else None
    if regions is None:
        return None
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0])
    lengths = frozenset(metadata.general_desc.possible_length)
    mobile = metadata.mobile
    has_mobiles = mobile is not None and mobile.national_number_pattern
    own = frozenset(mobile.possible_length) if has_mobiles else lengths
    return _Plan(str(code), regions, metadata.national_prefix or "", lengths, own)


def _international(mobile: str, home: _Plan | None) -> str | None:
    """Return calling code and national digits as dialled; None where other signs are in it."""
    text = mobile if _DIGITS.fullmatch(mobile) else mobile.translate(_SPELLED)
    if not _DIGITS.fullmatch(text) or _DECIMAL.fullmatch(mobile):
        return None
    if text[0] == "+":
        return text[1:]
    if text[:2] == "00":
        return text[2:]
    if home is None:
        return None
    has_code = text.startswith(home.code) and len(text) - len(home.code) in home.mobile_lengths
    return text if has_code else home.code + text


def _trimmed(national: str, plan: _Plan) -> str:
    size = len(plan.prefix)
    dialled_at_home = size and national.startswith(plan.prefix)
    return national[size:] if dialled_at_home and len(national) - size in plan.lengths else national


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


def _operator(digits: str) -> str | None:
    for length in range(min(len(digits), _LONGEST_CARRIER_PREFIX), 0, -1):
        names = CARRIER_DATA.get(digits[:length])
        if names is not None:
            return _slug(names.get("en", ""))
    return None


@lru_cache(None)
def _slug(name: str) -> str | None:
    """Return a name in lower snake case; UTF-8 that was read as Latin-1 is put right before."""
    try:
        name = name.encode("latin-1").decode()
    except UnicodeError:
        pass
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "_".join(re.findall("[a-z0-9]+", plain)) or None


def _range_country(digits: str) -> str | None:
    starts, countries = _ranges()
    return countries[bisect_right(starts, digits.ljust(15, "0")) - 1]


@lru_cache(1)
def _ranges() -> tuple[list[str], list[str | None]]:
    with (REFERENCE / "number_ranges.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["range_start"], row["country_code"] or None) for row in csv.DictReader(file)]
    return [start for start, _ in rows], [country for _, country in rows]
