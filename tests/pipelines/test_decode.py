"""What a push means: the decoding ladder, the traps on the way, and the two paths' agreement."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.decode.decoding import decode, read_lines
from pipelines.decode.rejects import Reason
from pipelines.decode.slow_path import decode_push
from pipelines.models.warehouse import open_warehouse
from tests.data_folder import form, land_bodies, push, record, settings_of

FIELDS = ("sid", "uid", "mobile", "report_status", "handset_time_raw", "error_code", "error_detail")
GOOD = record(7)
GOOD_ROW = (7, "abc", "15205201314", "SUCCESS", "2026-03-02 15:59:57", "DELIVRD", "接收成功")


class Push(NamedTuple):
    """What was found in one push."""

    decoding: str
    records: int
    repaired_mobiles: int
    rows: list[tuple[Any, ...]]
    rejects: list[tuple[Any, ...]]


class Decoder:
    """Takes pushes through a landed file and DuckDB."""

    def __init__(self, con: duckdb.DuckDBPyConnection, data: Path) -> None:
        self.con = con
        self.settings = settings_of(data)

    def all(self, bodies: list[bytes]) -> list[Push]:
        file = land_bodies(self.settings, bodies)
        name = str(file.relative_to(self.settings.landing))
        read_lines(self.con, self.settings.landing, [name])
        decode(self.con)
        return [self._found(push(body, n).push_id) for n, body in enumerate(bodies)]

    def one(self, body: bytes) -> Push:
        return self.all([body])[0]

    def slow_path_pushes(self) -> int:
        return int(self.con.execute("select count(*) from slow_path_pushes").fetchall()[0][0])

    def _found(self, push_id: str) -> Push:
        [head] = self._rows("decoding, records, repaired_mobiles", "new_pushes", push_id)
        rows = self._rows(", ".join(FIELDS), "new_records", push_id)
        rejects = self._rows("position, reason, field, value", "new_rejects", push_id)
        return Push(*head, rows, rejects)

    def _rows(self, columns: str, table: str, push_id: str) -> list[tuple[Any, ...]]:
        order = "" if table == "new_pushes" else "order by position"
        query = f"select {columns} from {table} where push_id = ? {order}"
        return self.con.execute(query, [push_id]).fetchall()


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoder]:
    data = tmp_path_factory.mktemp("decode") / "data"
    with open_warehouse(settings_of(data)) as con:
        made = Decoder(con, data)
        yield made
        # hypothesis keeps its arguments to the end, where DuckDB complains of what is left
        del made.con


@pytest.mark.parametrize(
    ("body", "decoding"),
    [
        pytest.param(form([GOOD]), "once", id="once"),
        pytest.param(form([GOOD], 2), "twice", id="twice, as some languages need"),
        pytest.param(form([GOOD], 3), "thrice", id="thrice"),
        pytest.param(b"sms_status=" + json.dumps([GOOD]).encode(), "once", id="raw, as curl sends"),
        pytest.param(b"sms_status=" + quote(json.dumps([GOOD])).encode(), "once", id="%20"),
        pytest.param(b"a=1&" + form([GOOD]) + b"&b=2", "once", id="beside other parameters"),
        pytest.param(b"sms%5Fstatus=" + form([GOOD])[11:], "once", id="name encoded"),
        pytest.param(form(" \r\n" + json.dumps([GOOD]) + "\n"), "once", id="blanks around"),
        pytest.param(form("\ufeff" + json.dumps([GOOD])), "salvaged", id="byte order mark"),
    ],
)
def test_every_encoding_gives_the_same_record(decoder: Decoder, body: bytes, decoding: str) -> None:
    found = decoder.one(body)
    assert (found.decoding, found.rows) == (decoding, [GOOD_ROW])


@pytest.mark.parametrize(
    ("field", "sent", "stored"),
    [
        ("mobile", "+93703334567", "+93703334567"),
        ("error_detail", "100%", "100%"),
        ("error_detail", "a+b %41 & c=d", "a+b %41 & c=d"),
        ("error_detail", 'quote " backslash \\ 😀', 'quote " backslash \\ 😀'),
        ("error_detail", "nul \u0000 inside", "nul \u0000 inside"),
        ("error_detail", ",] NaN : [1", ",] NaN : [1"),
        ("uid", None, None),
        ("uid", "", ""),
        ("uid", 123, "123"),
        ("uid", 12345678901234567890123, "12345678901234567890123"),
        ("uid", 1.50, "1.5"),
        ("uid", True, "true"),
        ("uid", {"b": [1, "x"], "a": None}, '{"b":[1,"x"],"a":null}'),
        ("error_code", "006", "006"),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_fields_arrive_as_they_were_sent(
    decoder: Decoder, field: str, sent: object, stored: object, times: int
) -> None:
    name = {"error_code": "error_msg"}.get(field, field)
    [row] = decoder.one(form([record(7, **{name: sent})], times)).rows
    assert dict(zip(FIELDS, row, strict=True))[field] == stored


def test_digits_of_a_number_are_not_rewritten(decoder: Decoder) -> None:
    body = form('[{"sid":1,"report_status":"FAIL","uid":1e5,"error_msg":-0.0,"error_detail":1.50}]')
    assert decoder.one(body).rows == [(1, "1e5", None, "FAIL", None, "-0.0", "1.50")]


@pytest.mark.parametrize("sid", [2**53 + 1, 2**63 - 1, -(2**63), 0, "9527", "007"])
def test_sids_are_exact(decoder: Decoder, sid: int | str) -> None:
    assert decoder.one(form([record(sid)])).rows[0][0] == int(sid)


def test_a_lost_plus_is_put_back_and_recorded(decoder: Decoder) -> None:
    body = b"sms_status=" + json.dumps([record(1, mobile="+93703334567"), GOOD]).encode()
    found = decoder.one(body)
    assert [row[2] for row in found.rows] == ["+93703334567", "15205201314"]
    assert found.repaired_mobiles == 1


def encoded(text: str, times: int) -> str:
    """Text with every character but letters and digits percent-encoded that often."""
    for _ in range(times):
        text = quote(text, safe="")
    return text


class Lead(NamedTuple):
    """How the first character of a mobile stands on the wire, of a value decoded ``times``."""

    wire: str
    stored: str
    repaired: bool


def leads(times: int) -> list[Lead]:
    """A plus or a blank, encoded up to ``times``, or as an escape of JSON."""
    plus = [Lead(encoded("+", n), "+", repaired=n < times) for n in range(times + 1)]
    blank = [Lead(encoded(" ", n), " ", repaired=False) for n in range(times + 1)]
    escapes = [
        Lead(encoded("\\u0020", times), " ", repaired=False),
        Lead(encoded("\\u002b", times), "+", repaired=False),
    ]
    return [*plus, *blank, *escapes]


def body_of(found: list[Lead], times: int, blank: str = "", end: str = "]") -> bytes:
    """A push of a record for each lead, with a blank as it stands on the wire between them."""
    text = json.dumps([record(n, mobile="@1520520") for n in range(len(found))])[:-1] + end
    wire = encoded(text.replace(", {", ",|{").replace(", ", ","), times)
    wire = wire.replace(encoded("|", times), blank)
    for lead in found:
        wire = wire.replace(encoded("@", times), lead.wire, 1)
    return b"sms_status=" + wire.encode()


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_blank_is_a_lost_plus_only_where_a_plus_was_pushed(decoder: Decoder, times: int) -> None:
    bodies = [body_of([lead], times) for lead in leads(times)]
    for lead, found in zip(leads(times), decoder.all(bodies), strict=True):
        assert [row[2] for row in found.rows] == [f"{lead.stored}1520520"], lead
        assert found.repaired_mobiles == lead.repaired, lead
    assert decoder.slow_path_pushes() == 0


@pytest.mark.parametrize("end", [",]", ',{"sid":7,"mob'])
def test_a_lost_plus_is_put_back_in_what_is_left_of_a_damaged_array(
    decoder: Decoder, end: str
) -> None:
    for times in (1, 2, 3):
        found = decoder.one(body_of(leads(times), times, end=end))
        assert [row[2] for row in found.rows] == [f"{one.stored}1520520" for one in leads(times)]
        assert found.repaired_mobiles == times


@st.composite
def blank_bodies(draw: st.DrawFn) -> tuple[bytes, list[Lead]]:
    times = draw(st.integers(1, 3))
    found = draw(st.lists(st.sampled_from(leads(times)), min_size=1, max_size=4))
    blank = draw(st.sampled_from(["", "+", " ", encoded(" ", times), encoded("+", times - 1)]))
    return body_of(found, times, blank), found


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.lists(blank_bodies(), min_size=1, max_size=20))
def test_sql_and_python_agree_on_blanks(
    decoder: Decoder, pushes: list[tuple[bytes, list[Lead]]]
) -> None:
    bodies = [body for body, _ in pushes]
    paths_agree(decoder, bodies)
    for (_, found), push_ in zip(pushes, decoder.all(bodies), strict=True):
        assert [row[2] for row in push_.rows] == [f"{lead.stored}1520520" for lead in found]
        assert push_.repaired_mobiles == sum(lead.repaired for lead in found)


def test_an_unencoded_ampersand_does_not_cut_the_batch(decoder: Decoder) -> None:
    batch = [record(1, error_detail="R&D"), record(2)]
    rows = decoder.one(b"sms_status=" + json.dumps(batch).encode()).rows
    assert [(row[0], row[6]) for row in rows] == [(1, "R&D"), (2, "接收成功")]


def test_unknown_fields_and_their_shapes_break_nothing(decoder: Decoder) -> None:
    extra = record(7, new={"deep": [1, {"er": None}]}, price=0.05)
    assert decoder.one(form([extra])) == ("once", 1, 0, [GOOD_ROW], [])


def test_an_empty_array_counts_no_record(decoder: Decoder) -> None:
    assert decoder.one(form([])) == ("once", 0, 0, [], [])


@pytest.mark.parametrize("escape", ["\\ud83d", "\\ude00 tail"])
def test_a_lone_surrogate_costs_only_itself(decoder: Decoder, escape: str) -> None:
    text = json.dumps([record(1, error_detail="X"), GOOD]).replace('"X"', f'"{escape}"')
    decoding, _, _, rows, _ = decoder.one(form(text))
    assert decoding == "salvaged"
    assert [row[0] for row in rows] == [1, 7]
    assert rows[0][6].startswith("\ufffd")


def test_bytes_that_are_not_utf8_cost_only_themselves(decoder: Decoder) -> None:
    text = json.dumps([record(1, error_detail="X"), GOOD], ensure_ascii=False)
    body = b"sms_status=" + quote_plus(text.encode().replace(b'"X"', b'"\xbd\xd3"')).encode()
    found = decoder.one(body)
    assert found.decoding == "salvaged"
    assert [row[0] for row in found.rows] == [1, 7]
    assert not found.rejects


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(
    ("sound", "broken", "sids", "rejects"),
    [
        pytest.param(b'"X"', b'"\xbd\xd3"', [1, 7], [], id="not UTF-8"),
        pytest.param(b'"X"', b'"\x01"', [1, 7], [], id="control character"),
        pytest.param(b'"X"', b'"X', [7], ["damaged_json"], id="damaged"),
    ],
)
def test_what_is_broken_is_read_however_often_it_was_encoded(
    decoder: Decoder, sound: bytes, broken: bytes, sids: list[int], rejects: list[str], times: int
) -> None:
    value = json.dumps([record(1, error_detail="X"), GOOD], ensure_ascii=False).encode()
    value = value.replace(sound, broken)
    for _ in range(times):
        value = quote_plus(value).encode()
    found = decoder.one(b"sms_status=" + value)
    assert found.decoding == "salvaged"
    assert [row[0] for row in found.rows] == sids
    assert [reason for _, reason, _, _ in found.rejects] == rejects


@pytest.mark.parametrize("times", [1, 2, 3])
def test_broken_json_that_is_no_array_is_json_all_the_same(decoder: Decoder, times: int) -> None:
    value = b'{"sid":1,"error_detail":"\xbd\xd3"}'
    for _ in range(times):
        value = quote_plus(value).encode()
    [reject] = decoder.one(b"sms_status=" + value).rejects
    assert reject[1] == "not_an_array"


def test_a_body_of_bytes_that_are_not_utf8_is_read_from_base64(decoder: Decoder) -> None:
    body = b"sms_status=" + json.dumps([GOOD]).encode() + b"&x=\xff"
    assert decoder.one(body) == ("once", 1, 0, [GOOD_ROW], [])


RAW = json.dumps([record(1, error_detail="X"), GOOD], ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("value", "decoding"),
    [
        pytest.param(RAW.replace(b'"X"', b'"\xbd\xd3"'), "salvaged", id="not UTF-8"),
        pytest.param(RAW.replace(b'"X"', b'"\x01"'), "salvaged", id="a control character"),
        pytest.param(b"[" + quote_plus(quote_plus(RAW[1:])).encode(), "twice", id="but for ["),
        pytest.param(RAW, "once", id="plain"),
    ],
)
def test_what_follows_a_value_that_is_not_encoded_is_no_damage(
    decoder: Decoder, value: bytes, decoding: str
) -> None:
    another = form([record(3)])
    bodies = [b"sms_status=" + value + rest for rest in (b"&x=1", b"&", b"&x=a=b&" + another)]
    paths_agree(decoder, bodies)
    for body, sids in zip(bodies, ([1, 7], [1, 7], [1, 7, 3]), strict=True):
        found = decoder.one(body)
        assert (found.decoding, found.rejects) == (decoding, [])
        assert [row[0] for row in found.rows] == sids


def test_a_text_with_an_ampersand_goes_on_whatever_its_bytes(decoder: Decoder) -> None:
    body = b"sms_status=" + RAW.replace(b'"X"', b'"R&D \xbd\xd3&"')
    rows = decoder.one(body).rows
    assert [(row[0], row[6]) for row in rows] == [(1, "R&D \ufffd\ufffd&"), (7, "接收成功")]


@pytest.mark.parametrize(
    ("text", "sids", "damaged"),
    [
        pytest.param('[G1,G2,{"sid":3,"repo', [1, 2], 1, id="cut in a record"),
        pytest.param("[G1,G2", [1, 2], 1, id="cut between records"),
        pytest.param("[G1,G2,", [1, 2], 1, id="cut behind a comma"),
        pytest.param("[G1,G2, ", [1, 2], 1, id="cut behind a comma and a blank"),
        pytest.param("[G1,G2,]", [1, 2], 0, id="trailing comma"),
        pytest.param("[G1,G2 ,\n, ]\t", [1, 2], 0, id="trailing commas and blanks"),
        pytest.param("[,G1]", [1], 0, id="leading comma"),
        pytest.param("[G1, ,,G2]", [1, 2], 0, id="commas with nothing between"),
        pytest.param("[G1G2]", [1, 2], 0, id="no comma"),
        pytest.param("[G1 G2]", [1, 2], 0, id="a blank for a comma"),
        pytest.param("[G1,] x", [1], 1, id="something behind the array"),
        pytest.param("[G1,x,]", [1], 1, id="a stretch that ends with a comma"),
        pytest.param("[G1,]G2]", [1, 2], 1, id="a bracket amid the array"),
        pytest.param('[G1,{"sid":},G3]', [1, 3], 1, id="one bad record of three"),
        pytest.param("[G1,x,G2,y,G3]", [1, 2, 3], 2, id="two stretches"),
        pytest.param("[G1,NaN,G2]", [1, 2], 1, id="NaN is no JSON"),
        pytest.param("[G1][G2]", [1, 2], 1, id="two arrays"),
        pytest.param("[", [], 1, id="nothing but a bracket"),
    ],
)
def test_a_damaged_array_gives_up_what_can_be_read(
    decoder: Decoder, text: str, sids: list[int], damaged: int
) -> None:
    for n in (1, 2, 3):
        text = text.replace(f"G{n}", json.dumps(record(n)))
    found = decoder.one(form(text))
    assert found.decoding == ("salvaged" if sids else "failed")
    assert [row[0] for row in found.rows] == sids
    assert [reason for _, reason, _, _ in found.rejects] == ["damaged_json"] * damaged
    assert found.records == len(sids) + damaged


def test_an_array_of_commas_loses_nothing(decoder: Decoder) -> None:
    assert decoder.one(form("[, ,]")) == ("salvaged", 0, 0, [], [])


@pytest.mark.parametrize("garbage", ['{"sid":', '{"sid":"', "[", '{"a":{'])
def test_garbage_is_read_in_bounded_time(garbage: str) -> None:
    body = b"sms_status=[" + (garbage * (400_000 // len(garbage))).encode()
    [reject] = decode_push(body).rejects
    assert reject.reason is Reason.DAMAGED_JSON


@pytest.mark.parametrize("depth", [99, 101, 600, 980, 100_000])
def test_deeply_nested_json_is_no_crash(decoder: Decoder, depth: int) -> None:
    deep, good = decoder.all([form("[" * depth + "]" * depth), form([GOOD])])
    assert {reason for _, reason, _, _ in deep.rejects} == {
        "damaged_json" if depth > 100 else "not_an_object"
    }
    assert good.rows == [GOOD_ROW]


def test_a_push_without_the_parameter_is_not_lost(decoder: Decoder) -> None:
    for body in (b"", b"a=1", b"\xff"):
        found = decoder.one(body)
        assert (found.decoding, found.records) == ("failed", 1)
        assert [reason for _, reason, _, _ in found.rejects] == ["not_json"]


def test_a_parameter_that_stands_twice_loses_neither(decoder: Decoder) -> None:
    body = form([record(1)]) + b"&" + form([record(2)])
    assert [row[0] for row in decoder.one(body).rows] == [1, 2]


@pytest.mark.parametrize("times", [(1, 2), (2, 1)])
def test_of_several_values_the_worst_decoding_is_noted(
    decoder: Decoder, times: tuple[int, int]
) -> None:
    first, second = (form([record(n)], depth) for n, depth in enumerate(times))
    assert decoder.one(first + b"&" + second).decoding == "twice"


# --- the two paths agree -------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["SUCCESS", "FAIL", "1e5", " 93703334567", "+1", "[", ",]", ":NaN", "%41"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=3,
)
names = st.sampled_from(
    [
        "sid",
        "uid",
        "mobile",
        "report_status",
        "user_receive_time",
        "error_msg",
        "error_detail",
        "SID",
        "new",
    ]
)
sids = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9).map(str)
statuses = st.sampled_from(["SUCCESS", "FAIL"])
mostly_good = st.builds(
    lambda base, changes: base | changes,
    st.fixed_dictionaries({"sid": sids, "report_status": statuses}),
    st.dictionaries(names, values, max_size=3),
)
batches = st.lists(mostly_good | values, max_size=5)


def paths_agree(decoder: Decoder, bodies: list[bytes]) -> None:
    """Hold what SQL, with its careful helper, finds against what the careful path alone says."""
    for body, found in zip(bodies, decoder.all(bodies), strict=True):
        expected = decode_push(body)
        assert found == (
            expected.decoding,
            len(expected.records) + len(expected.rejects),
            expected.repaired_mobiles,
            [row[1:] for row in expected.records],
            [(one.position, one.reason, one.field, one.value) for one in expected.rejects],
        )


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(batches, st.integers(1, 3), st.booleans()), min_size=1, max_size=20))
def test_sql_and_python_agree_on_well_formed_pushes(
    decoder: Decoder, pushes: list[tuple[list[Any], int, bool]]
) -> None:
    texts = [(json.dumps(batch, ensure_ascii=plain), times) for batch, times, plain in pushes]
    paths_agree(decoder, [form(text, times) for text, times in texts])


@hypothesis_settings(max_examples=20, deadline=None)
@given(st.lists(st.binary(max_size=60) | st.text(max_size=40).map(str.encode), min_size=1))
def test_sql_and_python_agree_on_garbage(decoder: Decoder, values: list[bytes]) -> None:
    paths_agree(decoder, [b"sms_status=" + value for value in values])


@hypothesis_settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(mostly_good, min_size=1, max_size=3),
            st.integers(0, 400),
            st.text(max_size=2),
        ),
        min_size=1,
    )
)
def test_sql_and_python_agree_on_damage(
    decoder: Decoder, damages: list[tuple[list[Any], int, str]]
) -> None:
    texts = [(json.dumps(batch), at, patch) for batch, at, patch in damages]
    paths_agree(decoder, [form(text[:at] + patch + text[at + 1 :]) for text, at, patch in texts])


REJECTED = [
    # elements as JSON text, that are refused but ordinary
    '"a text"',
    "42",
    "null",
    "true",
    "[]",
    "{}",
    '{"uid":-0,"report_status":"FAIL"}',
    '{"sid":null,"report_status":"FAIL"}',
    '{"sid":1853432739693644738.50,"report_status":"FAIL"}',
    '{"sid":1e5,"uid":-0,"report_status":"FAIL"}',
    '{"sid":true,"report_status":"FAIL"}',
    '{"sid":-0.0,"report_status":"FAIL"}',
    '{"sid":"no number","report_status":"FAIL"}',
    '{"sid":"' + "9" * 2_000 + '","report_status":"FAIL"}',
    '{"sid":9223372036854775808,"report_status":"FAIL"}',
    '{"sid":"00000000000000000000000000007","report_status":"FAIL"}',
    '{"sid":7,"report_status":"success"}',
    '{"sid":7,"report_status":1.50}',
    '{"sid":7}',
]


@pytest.mark.parametrize("element", REJECTED)
def test_ordinary_rejects_take_the_fast_path_and_say_the_same(
    decoder: Decoder, element: str
) -> None:
    """One bad record in a batch must not send the others through Python."""
    paths_agree(decoder, [form(f"[{json.dumps(GOOD)},{element},{json.dumps(GOOD)}]", 2)])
    assert decoder.slow_path_pushes() == 0


def test_ordinary_traffic_takes_the_fast_path(decoder: Decoder) -> None:
    """Guards the guard: were plain pushes sent to the careful path, nobody would notice."""
    plain = [record(n, mobile="+93703334567", uid=None if n % 2 else n) for n in range(50)]
    decoder.all([form(plain), form(plain, 2), form(plain, 3), b"a=1&" + form(plain)])
    assert decoder.slow_path_pushes() == 0
