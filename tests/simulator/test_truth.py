"""The truth and the send log say what the pushed records say."""

import csv
import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from simulator.encodings import Encoding
from simulator.options import SimulationOptions
from simulator.simulate import iter_bodies
from simulator.truth import SEND_LOG_FIELDS


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[bytes]]:
    folder = tmp_path_factory.mktemp("truth")
    options = SimulationOptions(
        messages=5000,
        conflicts=0.01,
        bad=0,
        damaged=0,
        encodings={Encoding.ONCE: 1.0},
        truth=folder / "truth.jsonl",
        sends=folder / "sends.csv",
    )
    return folder / "truth.jsonl", folder / "sends.csv", list(iter_bodies(options))


def test_the_truth_is_what_the_winning_report_says(files: tuple[Path, Path, list[bytes]]) -> None:
    truth_path, _, bodies = files
    reports: dict[int, dict[str, dict[str, object]]] = {}
    for body in bodies:
        for record in json.loads(dict(parse_qsl(body.decode()))["sms_status"]):
            reports.setdefault(int(record["sid"]), {})[record["report_status"]] = record
    for line in truth_path.read_text("utf-8").splitlines():
        truth = json.loads(line)
        told = reports.pop(truth["sid"], {})
        assert len(told) == truth["reports"]
        record = told.get("SUCCESS") or told.get("FAIL")
        assert truth["outcome"] == (
            "unreported" if record is None else "delivered" if "SUCCESS" in told else "failed"
        )
        if record:
            uid = record["uid"]
            assert truth["uid"] == (None if uid is None else str(uid))
            assert truth["mobile"] == record["mobile"]
            assert truth["error_code"] == record["error_msg"]
            assert truth["error_detail"] == record.get("error_detail")
    assert reports == {}


def test_the_send_log_has_a_line_for_every_message(files: tuple[Path, Path, list[bytes]]) -> None:
    truth_path, sends_path, _ = files
    truths = [json.loads(line) for line in truth_path.read_text("utf-8").splitlines()]
    with sends_path.open(encoding="utf-8", newline="") as file:
        sends = list(csv.DictReader(file))
    assert tuple(sends[0]) == SEND_LOG_FIELDS
    assert len(sends) == len(truths) == 5000
    for send, truth in zip(sends, truths, strict=True):
        assert int(send["sid"]) == truth["sid"]
        assert send["uid"] == (truth["uid"] or "")
        assert (send["sent_at"], send["tag"]) == (truth["sent_at"], truth["tag"])
        assert send["mobile"].endswith(truth["mobile"])
