"""Nobody who reads what is published, or a log, sees a phone number, wherever it was put in."""

import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from contract.envelope import Envelope
from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.publish import parquet
from pipelines.publish.privacy import PrivacyError
from pipelines.sends.files import bring_in
from tests.command import dlr
from tests.data_folder import ask, form, land, push, record, run, settings_of

OWN = "15205201314"
OTHER = "13800138000"
SPELLED = (
    "13800138000",
    "138-0013-8000",
    "138 0013 8000",
    "１３８００１３８０００",
    "+86 138 0013 8000",
)
"""The provider's sample and the number every Chinese example uses, in many hands."""


def leaky_pushes() -> Iterable[Envelope]:
    """Reports with numbers in every field that takes text."""
    for n, number in enumerate((OWN, *SPELLED)):
        words = {
            "uid": f"order-{number}",
            "error_msg": f"{number}",
            "error_detail": f"用户{number}停机",
            "user_receive_time": f"{number}",
            "report_status": "FAIL",
        }
        yield push(form([record(n, **words), record(n, **words | {"uid": f"x{number}y"})]), n)
        rejected = [number, {"sid": f"{number}"}, record(90 + n, report_status=f"to {number}")]
        yield push(form(rejected), 20 + n)
        yield push(f"sms_status=call {number}".encode(), 40 + n)


@pytest.fixture
def leaky(settings: Settings, tmp_path: Path) -> Settings:
    """A data folder full of numbers, published."""
    land(settings, leaky_pushes(), OTHER)
    log = tmp_path / f"sends {OTHER}.csv"
    rows = [
        f"{n},u{number},2026-03-02T07:00:00Z,tag {number},{OWN}" for n, number in enumerate(SPELLED)
    ]
    rows += [f",{number},2026-03-02T07:00:00Z,{number},{number}" for number in SPELLED]
    rows += [f"{OTHER}x,u,2026-03-02T07:00:00Z,t,{OWN}", f"7,u,{OTHER},t,{OWN}"]
    log.write_text("sid,uid,sent_at,tag,mobile\n" + "\n".join(rows), encoding="utf-8")
    assert bring_in(settings, log)
    run(settings)
    return settings


def digits(text: str) -> str:
    """A text as a person reads it who looks for a number."""
    plain = text.translate(str.maketrans("０１２３４５６７８９", "0123456789"))
    return "".join(letter for letter in plain if letter not in " -.()/")


def everything_published(settings: Settings) -> dict[str, str]:
    """Each text of each file that the manifest names, and the files beside them."""
    folder = manifest_path(settings).parent
    texts = {}
    for path in folder.rglob("*"):
        if path.is_symlink():
            continue
        if path.suffix == ".parquet":
            for name, column in pq.read_table(path).to_pydict().items():
                values = [value for value in column if isinstance(value, str)]
                texts[f"{path.name} {name}"] = "\n".join(values)
        elif path.is_file():
            texts[path.name] = path.read_text(encoding="utf-8")
    return texts


def test_no_number_is_in_anything_published(leaky: Settings) -> None:
    texts = everything_published(leaky)
    assert len(texts) > 50
    for where, text in texts.items():
        for number in (OWN, OTHER, OWN[3:], OTHER[3:]):
            assert number not in digits(text), where
    database = analytics_path(leaky).read_bytes()
    assert OWN.encode() not in database
    assert OTHER.encode() not in database


def test_what_is_no_number_stays_as_it_was(settings: Settings) -> None:
    uids = [
        "m-19b8b741d508c722",
        "20260302155957",
        "2026-03-02 15:59:57",
        "1853432740037838626",
        "1767571201250",
        "0190b3c4-1345-6789-0123-456789012345",
        "订单 42, 3 items, 99.50",
        "12345678",
        "",
    ]
    land(
        settings,
        [push(form([record(n, uid=uid, error_msg="MK:0001") for n, uid in enumerate(uids)]))],
    )
    run(settings)
    rows = ask(
        settings, "select uid, error_code, handset_time_raw from core.sms_status order by sid"
    )
    assert rows == [(uid, "MK:0001", "2026-03-02 15:59:57") for uid in uids]


def test_the_rest_of_a_text_stays(settings: Settings) -> None:
    words = {"uid": f"order 7 of {OTHER}, urgent", "error_detail": f"{OTHER},{OTHER}/空号"}
    land(settings, [push(form([record(1, **words)]))])
    run(settings)
    assert ask(settings, "select uid, error_detail from core.sms_status") == [
        ("order 7 of ****, urgent", "****,****/空号")
    ]


def test_a_column_that_lets_numbers_through_stops_the_publication(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings, [push(form([record(1)]))])
    run(settings)
    before = manifest_path(settings).read_bytes()
    files = set(settings.data.rglob("*")) - set((settings.data / "landing").rglob("*"))
    land(settings, [push(form([record(2, uid=f"for {OTHER}"), record(3, uid=OTHER)]), 2)], "b")
    model = models.load_models()["core.sms_status"]
    object.__setattr__(model, "free_text", ())
    try:
        with pytest.raises(PrivacyError) as caught:
            run(settings)
    finally:
        object.__setattr__(
            model, "free_text", ("uid", "handset_time_raw", "error_code", "error_detail", "tag")
        )
    assert "core.sms_status.uid (2 distinct values)" in str(caught.value)
    assert OTHER not in str(caught.value)
    assert manifest_path(settings).read_bytes() == before
    assert ask(settings, "select count(*) from core.sms_status") == [(1,)]
    left = set(settings.data.rglob("*")) - set((settings.data / "landing").rglob("*"))
    assert left == files, "nothing is left behind"
    run(settings)
    assert ask(settings, "select uid from core.sms_status order by sid") == [
        ("abc",),
        ("for ****",),
        ("****",),
    ]


@pytest.mark.parametrize("name", [name for name, one in models.load_models().items() if one.export])
def test_every_column_that_people_fill_is_named_in_its_header(name: str) -> None:
    filled = {"uid", "mobile", "mobile_e164", "error_code", "error_detail", "example_detail", "tag"}
    filled |= {"value", "file", "handset_time_raw"}
    model = models.load_models()[name]
    struck = {*model.private, *model.free_text, *model.fragments}
    assert filled & set(model.columns) <= struck <= set(model.columns)


def test_a_changed_rule_writes_every_file_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings, [push(form([record(1)]))])
    run(settings)
    before = json.loads(manifest_path(settings).read_text())["files"]
    monkeypatch.setattr(parquet, "_PARQUET", f"{parquet._PARQUET}, overwrite false")
    assert run(settings).written == len(before)


def test_the_key_of_hashed_mobiles_stays_out_of_the_data(tmp_path: Path) -> None:
    key = "a key that is kept elsewhere"
    settings = settings_of(tmp_path / "data", export_mobile="hashed", export_mobile_key=key)
    land(settings, leaky_pushes())
    run(settings)
    done = dlr(settings.data, "run", DLR_EXPORT_MOBILE="hashed", DLR_EXPORT_MOBILE_KEY=key)
    assert done.returncode == 0, done.stderr
    secrets = [key.encode()]
    for pad in (0x36, 0x5C):
        mixed = bytes(byte ^ pad for byte in key.encode().ljust(64, b"\0"))
        secrets += [mixed, mixed.hex().encode()]
    for path in settings.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), path
    assert OTHER not in digits(str(everything_published(settings)))
    assert json.loads(manifest_path(settings).read_text())["mobile"] == "hashed"


def test_plain_is_an_explicit_choice_and_the_manifest_says_so(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data", export_mobile="plain")
    land(settings, [push(form([record(1, uid=OTHER)]))])
    run(settings)
    assert json.loads(manifest_path(settings).read_text())["mobile"] == "plain"
    assert ask(settings, "select mobile, uid from core.sms_status") == [(OWN, OTHER)]
    assert settings_of(tmp_path / "other").export_mobile == "masked"


def test_no_number_is_in_the_logs_of_a_run(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    land(settings, leaky_pushes())
    for words in (["run"], ["status"], ["verify"]):
        done = dlr(settings.data, *words)
        assert OTHER not in digits(done.stdout + done.stderr), words
        assert OWN not in digits(done.stdout + done.stderr), words
    history = [path for path in (settings.data / "dagster").rglob("*") if path.is_file()]
    assert history
    for path in history:
        assert OTHER.encode() not in path.read_bytes(), path
        assert OWN.encode() not in path.read_bytes(), path
