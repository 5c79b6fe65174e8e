"""Phone ranges as reference data: what `warehouse/steps/messages/numbers.sql` joins mobiles with.

    python -m tools.number_ranges

writes two files anew from the installed `phonenumbers`, the Python edition of Google's
libphonenumber. Nothing here runs while reports are processed.

number_ranges.csv   the line of all numbers, 15 digits each (E.164's longest; shorter ones are
                    filled up with zeros), cut where country or operator changes. A row is valid
                    up to the next row's start: a number's row is the last that starts at or
                    before it.
calling_codes.csv   one row per calling code: whose it is, how long its numbers are, what is
                    dialled in front of them at home.

Countries are exact, not sampled: a pattern of the metadata stands for finitely many shapes of
numbers (`expand`), and a shared calling code is cut digit by digit until one region owns all that
is left.
"""

import csv
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
from phonenumbers.carrierdata import CARRIER_DATA

REFERENCE = Path(__file__).parents[1] / "warehouse" / "reference"
LIBRARY = "phonenumbers"
E164_DIGITS = 15
DIGITS = "0123456789"
WORLD = "001"  # UN M.49: the "region" of calling codes that belong to no country, such as +800

# The kinds of number phonenumberutil._number_type_helper knows, which makes a number valid.
NUMBER_TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)

Shape = tuple[str, ...]  # a set of equally long numbers: at each position the digits it may have
Claims = list[tuple[str, frozenset[Shape]]]  # regions with the rest of their numbers, first wins


class NumberRange(NamedTuple):
    """A row of number_ranges.csv; empty text where nothing is known."""

    range_start: str
    country_code: str
    operator: str
    operator_name: str


class CallingCode(NamedTuple):
    """A row of calling_codes.csv; lists are separated by blanks, the main region comes first."""

    calling_code: str
    regions: str
    national_lengths: str
    mobile_lengths: str
    national_prefix: str
    source: str


def number_ranges() -> Iterator[NumberRange]:
    """Yield a row wherever country or operator differs from the row before.

    An operator's prefix holds until a longer one takes over, as in phonenumbers.carrier.
    """
    countries, operators = country_prefixes(), operator_prefixes()
    last = None
    for start in cuts(countries.keys() | operators.keys()):
        name = longest(operators, start)
        known = (longest(countries, start), slug(name), name)
        if known != last:
            yield NumberRange(start, *known)
        last = known


def calling_codes() -> Iterator[CallingCode]:
    """Yield every calling code with the lengths and the trunk prefix of its main region.

    The main region speaks for all, as in phonenumbers.is_possible_number.
    """
    source = f"{LIBRARY} {version(LIBRARY)}"
    for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items(), key=lambda item: str(item[0])):
        yield CallingCode(
            calling_code=str(code),
            regions=" ".join(regions),
            national_lengths=" ".join(map(str, possible_lengths(code))),
            mobile_lengths=" ".join(map(str, mobile_lengths(code))),
            national_prefix=main_metadata(code).national_prefix or "",
            source=source,
        )


def country_prefixes() -> dict[str, str]:
    """Map prefixes of E.164 digits to regions; where prefixes nest, the longer one is right."""
    prefixes: dict[str, str] = {}
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        if len(regions) > 1:
            claims = [(region, numbers_of(region, code)) for region in regions]
            prefixes |= divide(str(code), claims)
        else:
            prefixes[str(code)] = "" if regions[0] == WORLD else regions[0]
    return prefixes


def operator_prefixes() -> dict[str, str]:
    """Map prefixes of E.164 digits to English operator names, empty where only others exist."""
    return {prefix: repair(names.get("en", "")) for prefix, names in CARRIER_DATA.items()}


def divide(prefix: str, claims: Claims) -> Iterator[tuple[str, str]]:
    """Yield the prefixes that belong to one region each, empty where no region has a number.

    Numbers that no region claims go with their neighbours as long as these agree. Which region
    wins a number claimed by several: phonenumberutil._region_code_for_number_from_list.
    """
    claims = [(region, shapes) for region, shapes in claims if shapes]
    if not claims:
        yield prefix, ""
    elif all(shapes <= claims[0][1] for _, shapes in claims):
        yield prefix, claims[0][0]
    else:
        for digit in DIGITS:
            rest = [(region, after(digit, shapes)) for region, shapes in claims]
            yield from divide(prefix + digit, rest)


def after(digit: str, shapes: Iterable[Shape]) -> frozenset[Shape]:
    """Return what may follow the digit."""
    return frozenset(shape[1:] for shape in shapes if shape and digit in shape[0])


def numbers_of(region: str, code: int) -> frozenset[Shape]:
    """Return the region's national numbers: those with its leading digits, or else the valid ones.

    Lengths are those of the calling code's main region; what only a lesser one has (7 digits in
    Canada) cannot be dialled from abroad.
    """
    metadata, lengths = metadata_of(region, code), possible_lengths(code)
    if metadata.leading_digits:
        starts = expand(metadata.leading_digits)
        return frozenset(start + (DIGITS,) * (n - len(start)) for start in starts for n in lengths)
    descriptions = (getattr(metadata, name) for name in NUMBER_TYPES)
    return frozenset(
        shape
        for description in descriptions
        if description and description.national_number_pattern
        for shape in expand(description.national_number_pattern)
        if len(shape) in description.possible_length and len(shape) in lengths
    )


def main_metadata(code: int) -> PhoneMetadata:
    """Return what the library knows of a calling code's main region."""
    return metadata_of(COUNTRY_CODE_TO_REGION_CODE[code][0], code)


def metadata_of(region: str, code: int) -> PhoneMetadata:
    """Return what the library knows of a region, or of a calling code of the world's."""
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None:
        raise LookupError(f"{LIBRARY} lists {region} under +{code} but has no metadata for it.")
    return metadata


def possible_lengths(code: int) -> tuple[int, ...]:
    """Return how many digits may follow the calling code."""
    description = main_metadata(code).general_desc
    return description.possible_length if description else ()


def mobile_lengths(code: int) -> tuple[int, ...]:
    """Return how many digits a mobile may have, any number's where mobiles are not told apart."""
    description = main_metadata(code).mobile
    if description is None or not description.national_number_pattern:
        return possible_lengths(code)
    return description.possible_length


# --- The patterns of the metadata -----------------------------------------------------------------
# A small part of regular expressions: digits, classes, groups, alternatives, bounded repetition.

TOKEN = re.compile(r"\(\?:|[)|?]|\[[^\]]+\]|\\d|\d|\{\d+(?:,\d+)?\}")


def expand(pattern: str) -> frozenset[Shape]:
    """Return all shapes of numbers that the pattern matches in full.

    Raises ValueError for anything outside the small part named above.
    """
    tokens = deque(TOKEN.findall(pattern))
    if "".join(tokens) != pattern:
        raise ValueError(f"The pattern {pattern!r} uses more than digits, groups and repetition.")
    return frozenset(alternatives(tokens))


def alternatives(tokens: deque[str]) -> set[Shape]:
    """Read up to the end of the group, or of the pattern."""
    done: set[Shape] = set()
    branch: set[Shape] = {()}
    while tokens and tokens[0] != ")":
        token = tokens.popleft()
        if token == "|":  # noqa: S105  a pattern's token, no password
            done |= branch
            branch = {()}
            continue
        branch = joined(branch, repeated(atom(token, tokens), tokens))
    return done | branch


def atom(token: str, tokens: deque[str]) -> set[Shape]:
    """Read a group, or take the token for a class of digits."""
    if token == "(?:":  # noqa: S105  a pattern's token, no password
        group = alternatives(tokens)
        tokens.popleft()  # its ")"
        return group
    return {("".join(digit for digit in DIGITS if re.fullmatch(token, digit)),)}


def repeated(shapes: set[Shape], tokens: deque[str]) -> set[Shape]:
    """Repeat the shapes as the quantifier says that may come next."""
    least, most = 1, 1
    if tokens and tokens[0] == "?":
        tokens.popleft()
        least = 0
    elif tokens and tokens[0].startswith("{"):
        bounds = tokens.popleft().strip("{}").split(",")
        least, most = int(bounds[0]), int(bounds[-1])
    result: set[Shape] = set()
    power: set[Shape] = {()}
    for count in range(most + 1):
        if count >= least:
            result |= power
        power = joined(power, shapes)
    return result


def joined(heads: set[Shape], tails: set[Shape]) -> set[Shape]:
    """Return every head followed by every tail."""
    return {head + tail for head in heads for tail in tails}


# --- The line of numbers --------------------------------------------------------------------------


def cuts(prefixes: Iterable[str]) -> list[str]:
    """Return all numbers at which one of the prefixes begins or has just ended."""
    starts = {0}
    for prefix in prefixes:
        width = 10 ** (E164_DIGITS - len(prefix))
        starts |= {int(prefix) * width, (int(prefix) + 1) * width}
    return [f"{start:0{E164_DIGITS}}" for start in sorted(starts) if start < 10**E164_DIGITS]


def longest(prefixes: dict[str, str], number: str) -> str:
    """Return what the longest prefix of the number stands for, empty if there is none."""
    for length in range(len(number), 0, -1):
        if number[:length] in prefixes:
            return prefixes[number[:length]]
    return ""


def slug(name: str) -> str:
    """Return the name in lower snake case: 'China Mobile' becomes china_mobile."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "_", plain.lower()).strip("_")


def repair(name: str) -> str:
    """Undo UTF-8 read as Latin-1, which some names carry since upstream ('TelefÃ³nica')."""
    try:
        return name.encode("latin-1").decode()
    except UnicodeError:
        return name


def write(
    path: Path, rows: Iterable[NumberRange] | Iterable[CallingCode], header: tuple[str, ...]
) -> None:
    """Write the rows as CSV with LF line ends, the same bytes for the same rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main(folder: Path = REFERENCE) -> None:
    """Write both files into the folder."""
    write(folder / "number_ranges.csv", number_ranges(), NumberRange._fields)
    write(folder / "calling_codes.csv", calling_codes(), CallingCode._fields)


if __name__ == "__main__":
    main()
