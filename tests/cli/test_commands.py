"""The commands as a person types them: words in, sentences out, exit status."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import COMMANDS
from tests.command import ROOT, dlr, environment
from tests.data_folder import form, land_bodies, record, run, settings_of


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one published message."""
    data = tmp_path_factory.mktemp("commands") / "data"
    settings = settings_of(data)
    land_bodies(settings, [form([record(2**53 + 1, uid=None, error_detail="接,收\n")])])
    run(settings)
    return data


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    done = dlr(tmp_path / "data", command, "--help")
    assert done.returncode == 0
    assert "usage: dlr" in done.stdout


def test_sql_as_csv_json_and_table(data: Path) -> None:
    query = "select sid, uid, error_detail, event_time_utc from core.sms_status"
    rows = list(csv.reader(io.StringIO(dlr(data, "sql", query, "--format", "csv").stdout)))
    assert rows == [
        ["sid", "uid", "error_detail", "event_time_utc"],
        ["9007199254740993", "", "接,收\n", "2026-03-02 07:59:57"],
    ]
    assert json.loads(dlr(data, "sql", query, "--format", "json").stdout) == [
        {
            "sid": 9007199254740993,
            "uid": None,
            "error_detail": "接,收\n",
            "event_time_utc": "2026-03-02 07:59:57",
        }
    ]
    assert "9007199254740993" in dlr(data, "sql", query).stdout


@pytest.mark.parametrize(
    ("words", "settings", "sentence"),
    [
        (["sql", "selec 1"], {}, "dlr: The query failed: Parser Error"),
        (["sql", "delete from core.sms_status"], {}, "dlr: The query failed: "),
        (["status"], {"DLR_BIND": "x", "DLR_DEFAULT_REGION": "china"}, "dlr: Wrong settings:"),
        (["simulate", "ftp://x"], {}, "dlr: The simulation cannot run: url must start with http"),
        (["sends", "import", "no.csv"], {}, "dlr: no.csv cannot be read: No such file"),
        (["up"], {"DLR_PUSH_TOKENS": ""}, "dlr: DLR_PUSH_TOKENS is not set"),
        (["demo", "--data", "."], {}, "is not empty and not of a demo"),
    ],
)
def test_mistakes_get_one_sentence(
    data: Path, words: list[str], settings: dict[str, str], sentence: str
) -> None:
    done = dlr(data, *words, **settings)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_published_yet_is_said(tmp_path: Path) -> None:
    done = dlr(tmp_path / "data", "sql", "select 1")
    assert (done.returncode, "Nothing is published yet" in done.stderr) == (1, True)
    verified = dlr(tmp_path / "data", "verify")
    assert verified.returncode == 1
    assert "Traceback" not in verified.stderr


def test_status_tells_people_and_programs(data: Path) -> None:
    done = dlr(data, "status")
    assert done.returncode == 0
    assert "1 records: 1 messages, 0 duplicates" in done.stdout
    assert json.loads(dlr(data, "status", "--json").stdout)["ledger"]["total_messages"] == 1


def test_status_exits_1_when_a_person_is_needed(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    land_bodies(settings, [form([record(1)])]).with_name("empty.jsonl").touch()
    run(settings)
    done = dlr(tmp_path / "data", "status")
    assert done.returncode == 1
    assert "empty.jsonl is empty" in done.stdout


def test_a_damaged_warehouse_is_explained_and_rebuilt(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings = settings_of(data)
    land_bodies(settings, [form([record(1)])])
    run(settings)
    (data / "warehouse.duckdb").write_bytes(b"no database" * 1000)
    done = dlr(data, "run")
    assert done.returncode == 1
    assert "`dlr rebuild` makes it anew" in done.stderr
    assert "Traceback" not in done.stderr
    assert dlr(data, "rebuild").returncode == 0
    assert dlr(data, "verify").returncode == 0


def test_two_runs_at_once_wait_for_each_other(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings = settings_of(data)
    land_bodies(settings, [form([record(n)]) for n in range(20)])
    command = [sys.executable, "-m", "cli.main", "run"]
    runs = [
        subprocess.Popen(
            command, env=environment(data), cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [one.communicate(timeout=120)[0] for one in runs]
    assert [one.returncode for one in runs] == [0, 0]
    assert sorted("20 pushes" in output for output in outputs) == [False, True]


def test_demo_ends_balanced_and_leaves_nothing_behind(tmp_path: Path) -> None:
    for _ in range(2):
        done = dlr(tmp_path / "unused", "demo", "--messages", "800", "--data", "demo")
        assert done.returncode == 0, done.stderr
        assert "balanced; fingerprint" in done.stdout
        assert "and the same as the simulated provider counted" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    listing = subprocess.run(["ps", "axo", "args"], capture_output=True, text=True, check=True)
    assert str(tmp_path) not in listing.stdout


def test_the_wrapper_is_plain_sh() -> None:
    assert shutil.which("sh")
    subprocess.run(["sh", "-n", str(ROOT / "dlr")], check=True)


def test_the_send_log_is_imported_once_and_taken_by_the_next_run(tmp_path: Path) -> None:
    data = tmp_path / "data"
    land_bodies(settings_of(data), [form([record(1)])])
    log = tmp_path / "orders.csv"
    log.write_text("sid,sent_at,tag\n1,2026-03-02 07:59:50,otp\nx,2026-03-02 07:59:50,otp\n")
    done = dlr(data, "sends", "import", "orders.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "imported as" in done.stdout
    assert [path.name.split("-", 2)[2] for path in (data / "sends").iterdir()] == ["orders.csv"]
    assert "was imported before" in dlr(data, "sends", "import", "orders.csv").stdout
    ran = dlr(data, "run")
    assert "Took 1 files of the send log, 2 rows: 1 sends" in ran.stdout
    told = dlr(data, "status")
    assert told.returncode == 0
    assert "send log     1 files: 1 sends, 1 with a report, 0 without, 1 bad_sid" in told.stdout
    assert "And 1 rows of the send log." in dlr(data, "verify").stdout
    (tmp_path / "prices.csv").write_text("a,b\n1,2\n")
    refused = dlr(data, "sends", "import", "orders.csv", "prices.csv")
    assert refused.returncode == 1
    assert "prices.csv has no column sent_at" in refused.stderr
    assert "Nothing was imported" in refused.stderr
