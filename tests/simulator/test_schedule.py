"""Pushes: reproducible bytes, and counts that an independent reader of the bytes confirms."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from simulator.damage import DAMAGE_KINDS, PushKind
from simulator.encodings import Encoding
from simulator.options import SimulationOptions
from simulator.records import Element
from simulator.schedule import Push, batches
from simulator.simulate import iter_bodies, iter_pushes
from simulator.tally import Tally

ROUGH = SimulationOptions(
    messages=12_000,
    days=2,
    seed=3,
    duplicates=0.1,
    conflicts=0.01,
    bad=0.01,
    damaged=0.3,
    encodings=dict.fromkeys(Encoding, 1.0),
)


@pytest.fixture(scope="module")
def pushes() -> list[Push]:
    return list(iter_pushes(ROUGH))


def value_of(body: bytes) -> bytes:
    return dict(part.split(b"=", 1) for part in body.split(b"&"))[b"sms_status"]


def decoded(body: bytes) -> str:
    """Form-decode until it is JSON, at most three times; bad UTF-8 becomes U+FFFD."""
    value = value_of(body)
    for _ in range(3):
        value = unquote_to_bytes(value.replace(b"+", b" "))
        if is_json(text := value.decode("utf-8", "replace")):
            break
    return text


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def salvaged(text: str) -> Iterator[object]:
    """Yield the elements of a broken array as far as they can be read, then a marker."""
    decoder, at = json.JSONDecoder(), 1
    while True:
        try:
            element, at = decoder.raw_decode(text, at)
        except ValueError:
            yield "the rest"
            return
        yield element
        at += 1


def elements_of(body: bytes) -> list[object]:
    """Return what a push brings; what cannot be read is one element that is no record."""
    text = decoded(body)
    if not is_json(text):
        return list(salvaged(text)) if text.startswith("[") else ["not json"]
    array = json.loads(text, parse_float=str)
    return array if isinstance(array, list) else ["not an array"]


def sid_of(element: object) -> int | None:
    """Return the sid of a good record, None for any other element."""
    if not isinstance(element, dict) or element.get("report_status") not in ("SUCCESS", "FAIL"):
        return None
    sid = element.get("sid")
    if isinstance(sid, str) and sid.isdecimal():
        sid = int(sid)
    return sid if type(sid) is int and sid < 2**63 else None


def content_of(element: dict[str, object]) -> tuple[object, ...]:
    mobile = str(element["mobile"]).replace(" ", "+")
    fields = ("uid", "report_status", "user_receive_time", "error_msg", "error_detail")
    return (mobile, *(element.get(name) for name in fields))


def test_the_same_options_make_the_same_bytes(pushes: list[Push]) -> None:
    assert list(iter_bodies(ROUGH)) == [push.body for push in pushes]


def test_how_it_is_pushed_does_not_change_what_is_sent(tmp_path: Path) -> None:
    truths = []
    for number, encoding in enumerate((Encoding.ONCE, Encoding.TWICE)):
        path = tmp_path / str(number)
        options = SimulationOptions(messages=500, encodings={encoding: 1.0}, truth=path)
        assert {push.encoding for push in iter_pushes(options)} == {encoding}
        truths.append(path.read_bytes())
    assert truths[0] == truths[1]


def test_pushes_are_in_order_of_time_and_within_the_limit(pushes: list[Push]) -> None:
    assert all(a.at_ms <= b.at_ms for a, b in pairwise(pushes))
    assert max(push.records for push in pushes) == 100


def test_everything_that_was_asked_for_occurs(pushes: list[Push]) -> None:
    assert {push.kind for push in pushes} == set(PushKind)
    assert {push.encoding for push in pushes} == set(Encoding)
    assert any(push.body.startswith(b"sms_status=") for push in pushes)
    assert any(b"&sms_status=" in push.body for push in pushes)


def test_an_independent_reader_counts_what_the_tally_counts(pushes: list[Push]) -> None:
    tally = Tally(ROUGH.messages)
    records = rejected = good = 0
    contents: dict[int, set[tuple[object, ...]]] = {}
    for push in pushes:
        tally.add(push)
        elements = elements_of(push.body)
        sids = [sid_of(element) for element in elements]
        assert (push.records, push.rejected) == (len(elements), sids.count(None)), push.kind
        records += len(elements)
        rejected += sids.count(None)
        for sid, element in zip(sids, elements, strict=True):
            if sid is not None:
                assert isinstance(element, dict)
                good += 1
                contents.setdefault(sid, set()).add(content_of(element))
    versions = sum(map(len, contents.values()))
    assert tally.records == records == good + rejected
    assert tally.rejected == rejected > 0
    assert tally.distinct_sids == len(contents)
    assert tally.conflicts == versions - len(contents) > 0
    assert tally.duplicates == good - versions > 0


def test_replays_have_the_same_body_five_to_fifteen_minutes_later(pushes: list[Push]) -> None:
    first = {push.body: push for push in pushes if push.kind is PushKind.BATCH}
    replays = [push for push in pushes if push.kind is PushKind.REPLAY]
    assert len(replays) / len(first) == pytest.approx(0.1, abs=0.04)
    delays = {push.at_ms - first[push.body].at_ms for push in replays}
    assert delays == {300_000, 600_000, 900_000}


def test_damage_costs_no_truth(pushes: list[Push]) -> None:
    whole, all_kinds = Tally(ROUGH.messages), Tally(ROUGH.messages)
    for push in pushes:
        all_kinds.add(push)
        if push.kind not in DAMAGE_KINDS:
            whole.add(push)
    assert whole.distinct_sids == all_kinds.distinct_sids
    assert whole.conflicts == all_kinds.conflicts


def test_every_kind_of_bad_record_occurs(pushes: list[Push]) -> None:
    bad = [
        element
        for push in pushes
        if push.kind is PushKind.BATCH
        for element in elements_of(push.body)
        if sid_of(element) is None
    ]
    sids = {str(e.get("sid", "missing"))[-8:] for e in bad if isinstance(e, dict)}
    assert {"missing", "None", "1e5", "True", "-0.0", "o number", "54775808"} <= sids
    assert any(sid.endswith(".5") for sid in sids)
    statuses = {e["report_status"] for e in bad if isinstance(e, dict)}
    assert {"UNKNOWN", "success", None} <= statuses
    others = Counter(repr(e) for e in bad if not isinstance(e, dict))
    assert set(others) == {"'a text'", "42", "None", "[]"}


def test_a_batch_waits_no_longer_than_it_may() -> None:
    ready_ms = [0, 10, 20, 5_000, 5_021, 30_000]
    stream = [Element(ms, number, "{}") for number, ms in enumerate(ready_ms)]
    cut = [(at_ms, len(batch)) for at_ms, batch in batches(stream, 3, 5.0)]
    assert cut == [(20, 3), (10_000, 2), (30_000, 1)]
    assert [len(batch) for _, batch in batches(stream, 4, None)] == [4, 2]
    assert [at_ms for at_ms, _ in batches(stream[:2], 4, 5.0)] == [10]


def test_the_defaults_are_mostly_sound() -> None:
    tally = Tally(10_000)
    encodings = Counter[Encoding]()
    for push in iter_pushes(SimulationOptions(messages=10_000, seed=2)):
        tally.add(push)
        encodings[push.encoding] += 1
    assert 0.005 < tally.duplicates / tally.records < 0.05  # 2 % of only 100 batches
    assert tally.rejected / tally.records < 0.002
    assert encodings[Encoding.ONCE] / encodings.total() > 0.7
