"""The commands as a person types them: words in, sentences out, exit status."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from cli.main import COMMANDS
from pipelines.models.warehouse import memory_limit, scratch_database
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


ONE_AND_TWO = {
    "csv": "n\n1\nm\n2\n",
    "json": '[\n\t{"n":1}\n]\n[\n\t{"m":2}\n]\n',
}


def sql_in_a_shell(data: Path, line: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of sh in which ``$sql`` is the command; fails with the first part that does."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; sql='{sys.executable} -m cli.main sql'; {line}"],
        cwd=data.parent,
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("style", ONE_AND_TWO)
@pytest.mark.parametrize(
    "line",
    [
        "$sql '{both}' --format {style} > a && cat a",
        "echo old > b && $sql '{both}' --format {style} >> b && tail -n +2 b",
        "for one in {one} {two}; do $sql $one --format {style}; done > c && cat c",
        "$sql '{both}' --format {style} | cat",
    ],
    ids=["a file", "a file that goes on", "two answers in one file", "a pipe"],
)
def test_answers_are_written_as_any_program_does(data: Path, style: str, line: str) -> None:
    one, two = "from(values(1))t(n)", "from(values(2))t(m)"
    asked = {"both": f"{one}; {two}", "one": f"'{one}'", "two": f"'{two}'"}
    done = sql_in_a_shell(data, line.format(style=style, **asked))
    assert (done.returncode, done.stdout, done.stderr) == (0, ONE_AND_TWO[style], "")


@pytest.mark.parametrize("style", ["csv", "json", "table"])
def test_who_reads_no_further_ends_the_command_without_a_word(data: Path, style: str) -> None:
    query = "select unnest(range(1000000)) as n"
    line = f"$sql '{query}' --format {style} | head -n 1; echo ${{PIPESTATUS[0]}} >&2"
    done = sql_in_a_shell(data, line)
    assert done.stdout == {"csv": "n\n", "json": "[\n"}.get(style, done.stdout)
    assert done.stderr.splitlines()[-1:] == ["0"]
    assert "Traceback" not in done.stderr


def test_a_query_that_fails_on_the_way_is_one_sentence(data: Path) -> None:
    query = (
        "select case when n = 999999 then error('at the end') else n end from range(1000000) t(n)"
    )
    done = dlr(data, "sql", query, "--format", "csv")
    assert done.returncode == 1
    assert done.stderr.startswith("dlr: The query failed: Invalid Input Error: at the end")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("delete from core.sms_status", "Can only delete from base table"),
        ("insert into core.sms_status (sid) values (1)", "sms_status is not an table"),
        ("create table mine as select 1", "read-only"),
        ("create schema mine", "read-only"),
        ("drop view core.sms_status", "read-only"),
    ],
)
def test_the_published_database_is_opened_to_be_read(data: Path, query: str, reason: str) -> None:
    path = data / "analytics.duckdb"
    before = path.read_bytes()
    done = dlr(data, "sql", query)
    assert done.returncode == 1
    assert done.stderr.startswith("dlr: The query failed: ")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert path.read_bytes() == before
    assert not list(data.glob("analytics.duckdb.*"))


@pytest.mark.parametrize(
    ("words", "settings", "sentence"),
    [
        (["sql", "selec 1"], {}, "dlr: The query failed: Parser Error"),
        (["sql", "delete from core.sms_status"], {}, "dlr: The query failed: "),
        (["status"], {"DLR_BIND": "x", "DLR_DEFAULT_REGION": "china"}, "dlr: Wrong settings:"),
        (["simulate", "ftp://x"], {}, "dlr: The simulation cannot run: url must start with http"),
        (["sends", "import", "no.csv"], {}, "dlr: no.csv cannot be read: No such file"),
        (["up"], {"DLR_PUSH_TOKENS": ""}, "dlr: DLR_PUSH_TOKENS is not set"),
        (["demo", "--data", "."], {}, "is not empty and was not made by a demo"),
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
    assert "1 record: 1 message, 0 duplicates" in done.stdout
    assert json.loads(dlr(data, "status", "--json").stdout)["ledger"]["total_messages"] == 1


def test_status_exits_1_when_a_person_is_needed(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    land_bodies(settings, [form([record(1)])]).with_name("empty.jsonl").touch()
    run(settings)
    done = dlr(tmp_path / "data", "status")
    assert done.returncode == 1
    assert "empty.jsonl is empty" in done.stdout


ASK_EVERY_ENGINE = """
import duckdb, os

connect = duckdb.connect

def noting(database=":memory:", *more, **options):
    con = connect(database, *more, **options)
    if "warehouse" in str(database):
        limit = con.execute("select current_setting('memory_limit')").fetchall()[0][0]
        with open(os.environ["LIMITS"], "a") as file:
            print(limit, file=file)
    return con

duckdb.connect = noting
"""
"""A `sitecustomize` that writes down the limit of every engine that opens a warehouse."""


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["status"],
        ["verify"],
        ["rebuild"],
        ["rebuild", "--from", "2026-03-02"],
        ["compact", "--before", "2026-03-03"],
    ],
    ids=" ".join,
)
def test_the_memory_limit_holds_wherever_the_warehouse_is_opened(
    data: Path, tmp_path: Path, words: list[str]
) -> None:
    shutil.copytree(data, tmp_path / "data", symlinks=True)
    (tmp_path / "sitecustomize.py").write_text(ASK_EVERY_ENGINE)
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    limits = tmp_path / "limits"
    noted = {"PYTHONPATH": path, "LIMITS": str(limits), "DLR_MEMORY_LIMIT": "300MB"}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        cwd=tmp_path,
        env=environment(tmp_path / "data") | noted,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # verify reads with less than any limit that can be set
    allowed = "96.0 MiB" if words == ["verify"] else "286.1 MiB"
    assert set(limits.read_text().splitlines()) == {allowed}


def test_the_engine_leaves_more_than_half_of_the_memory_to_others(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        own_choice = memory_limit(con)
    with scratch_database(settings_of(tmp_path)) as con:
        assert memory_limit(con) == pytest.approx(own_choice / 2, rel=0.02)


@pytest.mark.parametrize("command", ["status", "up", "run", "sql"])
def test_a_receiver_without_the_pipeline_names_what_to_install(
    tmp_path: Path, command: str
) -> None:
    missing = "duckdb", "dagster", "rich", "filelock"
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nsys.modules |= dict.fromkeys({missing!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", command],
        cwd=tmp_path,
        env=environment(tmp_path / "data") | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("dlr: This is a receiver-only installation")
    assert done.stderr.count("\n") == 1


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
        assert "the simulated provider's own counts are the same" in done.stdout
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
    assert "Loaded 1 file of the send log, 2 rows: 1 send" in ran.stdout
    told = dlr(data, "status")
    assert told.returncode == 0
    assert "send log     1 file: 1 send, 1 with a report, 0 without, 1 bad_sid" in told.stdout
    assert "Also 1 row of the send log." in dlr(data, "verify").stdout
    (tmp_path / "prices.csv").write_text("a,b\n1,2\n")
    refused = dlr(data, "sends", "import", "orders.csv", "prices.csv")
    assert refused.returncode == 1
    assert "prices.csv has no column sent_at" in refused.stderr
    assert "Nothing was imported" in refused.stderr
