"""What the SQL makes of mobiles, against the library its ranges come from.

The oracle is `phonenumbers`: what it parses to, where it says the number is from, which operator
it names. Numbers are drawn from its own patterns, every alternative alike, so that narrow ranges
are met as often as wide ones. Where SQL and library may differ is said beside each test; nothing
else may.
"""

import random
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import duckdb
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, carrier

from tools import number_ranges as numbers
from tools.number_ranges import REFERENCE, WORLD

Answer = tuple[str | None, str | None, str | None]  # E.164, country, operator

MODEL = REFERENCE.parent / "steps" / "messages" / "numbers.sql"
TABLES = ("number_ranges", "calling_codes")
REGIONS = [
    (region, code) for code, regions in COUNTRY_CODE_TO_REGION_CODE.items() for region in regions
]
HOMES = sorted(
    {"CN", "CO", "DE", "GB", "IN", "RU", *(region for region, _ in REGIONS[::6])} - {WORLD}
)
# Kinds of number for which the library names operators: those that take messages.
REACHED_BY_SMS = {
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    phonenumbers.PhoneNumberType.PAGER,
}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        connection.execute("create schema reference")
        for table in TABLES:
            connection.execute(
                f"create table reference.{table} as from "
                f"read_csv('{REFERENCE / table}.csv', all_varchar = true, nullstr = '\x01')"
            )
        yield connection


def answers(
    warehouse: duckdb.DuckDBPyConnection, texts: Iterable[str | None], home: str = "CN"
) -> dict[str | None, Answer]:
    """Run the model over the texts; every text has exactly one row."""
    wanted = list(dict.fromkeys(texts))
    warehouse.execute(f"set variable default_region = '{home}'")
    warehouse.execute(
        "create or replace temp table changed_mobiles as select unnest(?::varchar[]) as mobile",
        [wanted],
    )
    rows = warehouse.execute(MODEL.read_text(encoding="utf-8")).fetchall()
    assert len(rows) == len(wanted)
    return {mobile: (e164, country, operator) for mobile, e164, country, operator in rows}


def parsed(text: str, home: str | None = None) -> phonenumbers.PhoneNumber | None:
    """Parse with the library, if what it reads is a number that can be dialled from anywhere."""
    try:
        number = phonenumbers.parse(text, home)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    return number if reason == phonenumbers.ValidationResult.IS_POSSIBLE else None


def e164(number: phonenumbers.PhoneNumber | None) -> str | None:
    if number is None:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country(number: phonenumbers.PhoneNumber) -> str | None:
    region = phonenumbers.region_code_for_number(number)
    return None if region == WORLD else region


def is_as_long_as_a_mobile(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.is_possible_number_for_type(number, phonenumbers.PhoneNumberType.MOBILE)


def operator(number: phonenumbers.PhoneNumber) -> str | None:
    return numbers.slug(numbers.repair(carrier.name_for_number(number, "en"))) or None


def drawn(region: str, code: int, kinds: Iterable[str], count: int) -> set[str]:
    """Draw national numbers of these kinds, every alternative of their pattern alike."""
    chance = random.Random(f"{region}{code}")
    found = set()
    for kind in kinds:
        described = getattr(numbers.metadata_of(region, code), kind)
        if described is None or not described.national_number_pattern:
            continue
        shapes = sorted(
            shape
            for shape in numbers.expand(described.national_number_pattern)
            if len(shape) in described.possible_length
        )
        for shape in chance.choices(shapes, k=count):
            found.add("".join(map(chance.choice, shape)))
    return found


def looks_trunked(text: str) -> bool:
    """Tell whether the national part begins like a number dialled at home."""
    for code in COUNTRY_CODE_TO_REGION_CODE:
        if text.startswith(f"+{code}"):
            prefix = numbers.main_metadata(code).national_prefix
            return bool(prefix) and text.startswith(f"+{code}{prefix}")
    return False


@pytest.mark.parametrize(
    ("mobile", "expected"),
    [
        ("15205201314", ("+8615205201314", "CN", "china_mobile")),
        ("18905201314", ("+8618905201314", "CN", "china_telecom")),
        ("13005201314", ("+8613005201314", "CN", "china_unicom")),
        ("19205201314", ("+8619205201314", "CN", "china_broadnet")),
        ("13000000000", ("+8613000000000", "CN", "china_unicom")),
        ("008615205201314", ("+8615205201314", "CN", "china_mobile")),
        ("8615205201314", ("+8615205201314", "CN", "china_mobile")),
        ("+86 152-0520-1314", ("+8615205201314", "CN", "china_mobile")),
        ("015205201314", ("+8615205201314", "CN", "china_mobile")),
        ("+86 (0) 152.0520/1314", ("+8615205201314", "CN", "china_mobile")),
        ("＋８６　１５２０５２０１３１４", ("+8615205201314", "CN", "china_mobile")),
        ("１５２－０５２０－１３１４", ("+8615205201314", "CN", "china_mobile")),
        ("+93703334567", ("+93703334567", "AF", "awcc")),
        ("+85251234567", ("+85251234567", "HK", "china_mobile")),
        ("+85366123456", ("+85366123456", "MO", "ctm")),
        ("+886912345678", ("+886912345678", "TW", "chunghwa_telecom")),
        ("+447911123456", ("+447911123456", "GG", "jt")),
        ("+77012345678", ("+77012345678", "KZ", "kcell_activ")),
        ("+79161234567", ("+79161234567", "RU", None)),
        ("+14165550123", ("+14165550123", "CA", None)),
        ("+18095550123", ("+18095550123", "DO", None)),
        ("+393123456789", ("+393123456789", "IT", None)),
        ("+390669812345", ("+390669812345", "VA", None)),
        ("+80012345678", ("+80012345678", None, None)),
        ("+881612345678", ("+881612345678", None, "iridium_satellite")),
        ("1520520131", ("+861520520131", "CN", None)),
        ("152052013144", ("+86152052013144", "CN", None)),
        ("+20100791694", ("+20100791694", "EG", None)),
        ("152.05201314", ("+8615205201314", "CN", "china_mobile")),
        ("1520520.1314 ", ("+8615205201314", "CN", "china_mobile")),
    ],
)
def test_a_number_is_read_with_its_country_and_operator(
    warehouse: duckdb.DuckDBPyConnection, mobile: str, expected: Answer
) -> None:
    assert answers(warehouse, [mobile])[mobile] == expected


@pytest.mark.parametrize(
    "mobile",
    [
        None,
        "",
        " ",
        "+",
        "abc",
        "12",
        "+999123",
        "+86",
        "0086",
        "+861520520131444",
        "1520520131400",
        "152****1314",
        "152052O1314",
        "15205201314x1",
        "86+15205201314",
        "++8615205201314",
        "+015205201314",
        "15205201314\n",
        "9" * 400,
        "15205201314.0",
        "15205201314.",
        "15205201314.00",
        "1520520.1314",
        "+93703334567.0",
        "8615205201314.5",
        "１５２０５２０１３１４．０",
    ],
)
def test_what_is_no_plausible_number_stays_null(
    warehouse: duckdb.DuckDBPyConnection, mobile: str | None
) -> None:
    assert answers(warehouse, [mobile])[mobile] == (None, None, None)


@pytest.mark.parametrize(
    ("home", "mobile", "expected"),
    [
        ("GB", "07700900123", "+447700900123"),
        ("GB", "447700900123", "+447700900123"),
        ("GG", "07781123456", "+447781123456"),
        ("IN", "919876543210", "+919876543210"),
        ("IN", "9198765432", "+919198765432"),
        ("NZ", "6421904985", "+6421904985"),
        ("RU", "8 (916) 123-45-67", "+79161234567"),
        ("US", "1 (416) 555-0123", "+14165550123"),
        ("IT", "06 6982 123", "+39066982123"),
        ("HK", "85251234567", "+85251234567"),
        ("GB", "15205201314", None),
        ("XX", "15205201314", None),
        ("XX", "+8615205201314", "+8615205201314"),
    ],
)
def test_a_national_number_is_read_as_one_of_the_default_region(
    warehouse: duckdb.DuckDBPyConnection, home: str, mobile: str, expected: str | None
) -> None:
    assert answers(warehouse, [mobile], home)[mobile][0] == expected


def test_every_kind_of_valid_number_has_the_librarys_form_and_country(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    """No exception for countries, and one for the form.

    Some service numbers begin like a trunk prefix (0 in Japan's 0077…). The library tells them by
    their pattern; SQL takes the prefix off. No message is ever sent to one.
    """
    texts = [
        f"+{code}{national}"
        for region, code in REGIONS
        for national in drawn(region, code, numbers.NUMBER_TYPES, 8)
    ]
    found = answers(warehouse, texts)
    compared = 0
    for text in texts:
        number = parsed(text)
        if number is None or not phonenumbers.is_valid_number(number):
            continue
        if looks_trunked(text) and phonenumbers.number_type(number) not in REACHED_BY_SMS:
            continue
        compared += 1
        assert found[text][:2] == (e164(number), country(number)), text
    assert compared > 9000


def test_every_mobile_has_the_librarys_operator(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Ported numbers included, since it is the operator of the range.

    One exception: a pager whose number is not as long as a mobile has none.
    """
    texts = [
        f"+{code}{national}"
        for region, code in REGIONS
        for national in drawn(region, code, ("mobile", "pager"), 2000 if region == "CN" else 15)
    ]
    found = answers(warehouse, texts)
    compared = 0
    for text in texts:
        number = parsed(text)
        if number is None or phonenumbers.number_type(number) not in REACHED_BY_SMS:
            continue
        compared += 1
        expected = operator(number) if is_as_long_as_a_mobile(number) else None
        assert found[text] == (e164(number), country(number), expected), text
    assert compared > 5000


def test_only_a_number_as_long_as_a_mobile_has_an_operator(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    """A digit too few or too many, wherever the country has numbers of such a length at all."""
    mobiles = {
        f"+{code}{national}"
        for region, code in REGIONS
        for national in drawn(region, code, ("mobile",), 5)
    }
    texts = sorted({text[:-1] for text in mobiles} | mobiles | {f"{text}0" for text in mobiles})
    found = answers(warehouse, texts)
    with_operator: dict[bool, set[int]] = {True: set(), False: set()}
    for text in texts:
        number = parsed(text)
        if number is None or e164(number) != text:
            continue
        long_enough = is_as_long_as_a_mobile(number)
        name = numbers.slug(numbers.repair(carrier.name_for_valid_number(number, "en")))
        assert found[text][0] == text
        assert found[text][2] == (name or None if long_enough else None), text
        if name:
            with_operator[long_enough].add(number.country_code)
    assert len(with_operator[True]) > 150
    assert len(with_operator[False]) > 40


def test_a_number_of_no_known_range_has_the_librarys_country_if_it_has_one(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    """For a shared calling code the library knows the country of valid numbers only."""
    chance = random.Random(20261123)
    texts = [
        f"+{code}{chance.randrange(10**length):0{length}}"
        for code in COUNTRY_CODE_TO_REGION_CODE
        for length in numbers.possible_lengths(code) * 3
    ]
    found = answers(warehouse, texts)
    compared = 0
    for text in texts:
        number = parsed(text)
        if number is None or e164(number) != text or looks_trunked(text):
            continue
        compared += 1
        assert found[text][0] == text
        if phonenumbers.region_code_for_number(number) is not None:
            assert found[text][1] == country(number), text
    assert compared > 1500


@pytest.mark.parametrize("home", HOMES)
def test_mobiles_written_at_home_are_read_as_the_library_reads_them(
    warehouse: duckdb.DuckDBPyConnection, home: str
) -> None:
    """With trunk prefix, and with the calling code but without a plus.

    Where the library makes no mobile of a mobile (49 170 … in Germany, 0 3xx … in Colombia), SQL
    does.
    """
    code = phonenumbers.country_code_for_region(home)
    prefix = numbers.metadata_of(home, code).national_prefix or ""
    lengths = numbers.mobile_lengths(code)
    nationals = [n for n in drawn(home, code, ("mobile",), 20) if len(n) in lengths]
    texts = {f"{prefix}{national}": f"+{code}{national}" for national in nationals}
    texts |= {f"{code}{national}": f"+{code}{national}" for national in nationals}
    found = answers(warehouse, texts, home)
    compared = 0
    for text, expected in texts.items():
        assert found[text][0] == expected
        number = parsed(text, home)
        if number is not None and phonenumbers.number_type(number) in REACHED_BY_SMS:
            compared += 1
            assert e164(number) == expected, text
    assert compared or not nationals


FULL_WIDTH = str.maketrans("0123456789+-()./ ", "０１２３４５６７８９＋－（）．／　")


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a Chinese mobile and a way to write it."""
    mobile = draw(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True, alphabet="0123456789"))
    prefix = draw(st.sampled_from(["", "0", "86", "0086", "+86", "+86(0)", "0086 0"]))
    separator = st.sampled_from(["", "", "", " ", "-", ".", "/", ")"])
    text = prefix + "".join(digit + draw(separator) for digit in mobile)
    return mobile, text.translate(FULL_WIDTH) if draw(st.booleans()) else text


DECIMAL = re.compile(r"[+＋]?[0-9０-９]{7,}[.．][0-9０-９]*")


@settings(max_examples=30, deadline=None)
@given(written=st.lists(spellings(), min_size=1, max_size=40))
def test_spelling_does_not_matter(
    warehouse: duckdb.DuckDBPyConnection, written: list[tuple[str, str]]
) -> None:
    found = answers(warehouse, [text for _, text in written])
    for mobile, text in written:
        assert found[text][0] == (None if DECIMAL.fullmatch(text) else f"+86{mobile}")


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.none() | st.text(alphabet=st.characters(codec="utf-8")), max_size=40))
def test_no_text_breaks_it_and_only_numbers_come_out(
    warehouse: duckdb.DuckDBPyConnection, texts: list[str | None]
) -> None:
    for number, *known in answers(warehouse, texts).values():
        assert known == [None, None] if number is None else re.fullmatch(r"\+[0-9]{4,}", number)


def test_the_committed_files_are_what_the_library_gives(tmp_path: Path) -> None:
    committed = (REFERENCE / "calling_codes.csv").read_text(encoding="utf-8")
    installed = f"phonenumbers {version('phonenumbers')}"
    if not committed.rstrip().endswith(installed):
        pytest.skip(f"The files were made by another version than the installed {installed}.")
    numbers.main(tmp_path)
    for table in TABLES:
        name = f"{table}.csv"
        assert (tmp_path / name).read_bytes() == (REFERENCE / name).read_bytes(), (
            f"{name} was edited, or its generator was: run python -m tools.number_ranges"
        )


def test_ranges_are_a_line_without_gaps_or_idle_cuts() -> None:
    rows = list(numbers.number_ranges())
    starts = [row.range_start for row in rows]
    assert starts[0] == "0" * 15
    assert all(re.fullmatch("[0-9]{15}", start) for start in starts)
    assert starts == sorted(set(starts))
    assert all(row[1:] != last[1:] for last, row in pairwise(rows))


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("12", 1), ("1[2-4]", 3), ("1?2", 2), (r"(?:1|2[34])\d{2}", 300), (r"\d{1,3}", 1110)],
)
def test_a_pattern_stands_for_exactly_the_numbers_it_matches(pattern: str, count: int) -> None:
    digits = [f"{n:0{length}}" for length in (1, 2, 3, 4) for n in range(10**length)]
    matching = {text for text in digits if re.fullmatch(pattern, text)}
    shapes = numbers.expand(pattern)
    covered = {
        text
        for text in digits
        if any(
            len(shape) == len(text) and all(map(str.__contains__, shape, text)) for shape in shapes
        )
    }
    assert covered == matching
    assert len(matching) == count


@pytest.mark.parametrize("pattern", ["1+", "1*", "(?!1)2", "(1)2", "^1"])
def test_a_pattern_of_another_kind_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="uses more than"):
        numbers.expand(pattern)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("China Mobile", "china_mobile"),
        ("T-Mobile", "t_mobile"),
        ("AT&T Inc.", "at_t_inc"),
        ("3", "3"),
        ("Síminn", "siminn"),
        ("", ""),
    ],
)
def test_operators_go_by_slugs(name: str, expected: str) -> None:
    assert numbers.slug(name) == expected


def test_names_damaged_upstream_are_repaired() -> None:
    assert numbers.repair("TelefÃ³nica") == "Telefónica"
    assert numbers.repair("Síminn") == "Síminn"
    assert numbers.repair("BITĖ") == "BITĖ"
