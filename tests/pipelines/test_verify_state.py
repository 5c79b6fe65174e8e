"""Which state a verification looks at, what it says of what it does not, and how it ends early."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from cli.verify import lines
from contract.settings import Settings
from pipelines.folder.lock import WarehouseError
from pipelines.landing import compactor
from pipelines.landing.compaction import compact
from pipelines.verify import recount, verify
from pipelines.verify.findings import Findings
from pipelines.verify.headers import read_tables
from pipelines.verify.landed import KnownFile, read_moved
from pipelines.verify.recompute import queries
from tests.data_folder import FIRST, Kept, form, land, push, record, run, settings_of, warehouse
from tests.edited_warehouse import EditedWarehouse, edited
from tests.pipelines.test_privacy import leaky_pushes

__all__ = ["edited"]

DAYS = [FIRST + timedelta(days=n) for n in range(3)]
TOMORROW = datetime.now(UTC).date() + timedelta(days=1)
HISTORIES = {"ops.ledger", "ops.sends_ledger", "ops.rebuild_changes"}
"""Published tables that tell of runs: no landed byte gives them."""


def land_on(settings: Settings, day: datetime, name: str, sids: range) -> None:
    folder = settings.landing / "yunpian" / f"{day:%Y-%m-%d}"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        push(form([record(sid)]), sid, received_at=day + timedelta(seconds=sid % 1000)).to_line()
        for sid in sids
    ]
    (folder / f"{day:%Y%m%dT%H%M%S}.000000Z-{name}.jsonl").write_bytes(b"".join(lines))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Three days of four files, taken and published."""
    settings = settings_of(tmp_path_factory.mktemp("days") / "data")
    for n, day in enumerate(DAYS):
        for m, name in enumerate("abcd"):
            land_on(settings, day, name, range(100 * n + 10 * m, 100 * n + 10 * m + 8))
    run(settings)
    return Kept(settings)


@pytest.fixture
def settings(kept: Kept) -> Settings:
    return kept.put_back()


def told(settings: Settings, **options: object) -> str:
    return "\n".join(map(str, verify(settings, **options).findings))  # type: ignore[arg-type]


class Once:
    """Hears of progress, and does something the first time."""

    def __init__(self, act: object) -> None:
        self._act, self.done = act, False

    def __call__(self, done: int, total: int) -> None:
        if not self.done:
            self.done = True
            self._act()  # type: ignore[operator]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_and_a_publication_meanwhile_are_no_finding(
    settings: Settings, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount, "_WORTH_TWO", 0 if processes == 2 else 2**60)

    def meanwhile() -> None:
        land_on(settings, DAYS[2], "e", range(900, 950))
        assert run(settings).published

    once = Once(meanwhile)
    assert told(settings, on_progress=once) == ""
    assert once.done
    assert warehouse(settings, "select count(*) from core.sms_status") == [(146,)]
    assert told(settings) == ""


def test_the_name_of_a_member_is_read_though_its_header_crosses_a_block(tmp_path: Path) -> None:
    content = push(form([record(1)]), 1).to_line()
    known = KnownFile("day/second.jsonl", len(content), sha256(content).hexdigest(), "taken")
    (tmp_path / "day").mkdir()
    with (tmp_path / "day" / "all.jsonl.gz").open("wb") as file:
        # ends with an empty member whose name fills the block up to 15 bytes
        file.write(gzip.compress(os.urandom(250_000)))
        filler = "f" * ((1 << 18) - 15 - file.tell() - len(gzip.compress(b"")) - 1)
        for name, data in ((filler, b""), ("second.jsonl", content)):
            with gzip.GzipFile(name, "wb", fileobj=file) as member:
                member.write(data)
    findings = Findings()
    pushes = list(read_moved(tmp_path, [known], findings))
    assert (len(pushes), findings.all({})) == (1, [])


@pytest.mark.parametrize("processes", [1, 2])
def test_files_compacted_meanwhile_are_read_where_they_lie_then(
    settings: Settings, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount, "_WORTH_TWO", 0 if processes == 2 else 2**60)
    compacted = []
    once = Once(lambda: compacted.append(compact(settings, TOMORROW).files))
    assert told(settings, on_progress=once) == ""
    assert compacted == [12]
    assert told(settings) == ""


def test_hours_combined_meanwhile_are_read_where_they_lie_then(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compactor, "FEW_FILES", 1)
    land_on(settings, DAYS[0] + timedelta(hours=1), "e", range(800, 803))
    run(settings)
    assert compact(settings, DAYS[0].date()).files == 13
    combined = []
    once = Once(lambda: combined.append(compact(settings, TOMORROW).containers))
    assert told(settings, on_progress=once) == ""
    assert combined == [2]
    assert told(settings) == ""


def test_a_compacted_file_that_is_lost_is_named_itself(settings: Settings) -> None:
    compact(settings, TOMORROW)
    container = min(settings.landing.rglob("*.gz"))
    container.unlink()
    text = told(settings)
    assert f"{container.name}: the landed file is gone" in text
    assert "-a.jsonl: the landed file is gone" not in text


def test_a_file_altered_where_it_lies_then_is_found_and_so_is_one_that_is_lost(
    settings: Settings,
) -> None:
    [path] = settings.landing.rglob("20260304*-c.jsonl")
    altered = path.read_bytes().replace(b"%22uid%22", b"%22uiD%22", 1)

    def meanwhile() -> None:
        compact(settings, TOMORROW)
        [container] = path.parent.glob("*.gz")
        with container.open("wb") as file, gzip.GzipFile(path.name, "wb", fileobj=file) as member:
            member.write(altered)

    text = told(settings, on_progress=Once(meanwhile))
    assert f"{path.name}: the landed file was altered" in text
    assert f"{path.name.replace('-c', '-d')}: the landed file is gone" in text


def test_what_waits_is_named(settings: Settings) -> None:
    land_on(settings, DAYS[0], "later", range(800, 803))
    settings.sends.mkdir()
    (settings.sends / "orders.csv").write_text("sid,sent_at\n1,2026-03-02T07:00:00Z\n")
    verification = verify(settings)
    assert verification.passed
    assert (verification.pending, verification.pending_sends) == (1, 1)
    assert [name.rpartition("/")[2] for name in verification.waiting] == [
        "20260302T080000.000000Z-later.jsonl",
        "orders.csv",
    ]


def test_every_published_column_has_a_verifier(settings: Settings) -> None:
    """A table published without SQL below pipelines/verify/expected fails here; see its README."""
    published = {one.relation: one.name for one in read_tables().values() if one.exported}
    recounted = queries(("raw", "core", "ops", "marts"))
    assert {name for relation, name in published.items() if relation not in recounted} == HISTORIES
    assert verify(settings).unverified == []


def test_a_mart_of_ones_own_is_named_as_not_verified_and_no_finding(
    settings: Settings, edited: EditedWarehouse
) -> None:
    mart = edited.path("marts.as_of").read_text("utf-8")
    edited.write("marts/mine.sql", mart)
    known = "  unknown_until_utc: timestamp -- What was"
    edited.replace("marts/as_of.sql", known, f"  mine: bigint -- Mine.\n{known}")
    edited.replace(
        "marts/as_of.sql", "    unknown_until_utc\n", "    1 as mine,\n    unknown_until_utc\n"
    )
    run(settings)
    verification = verify(settings)
    assert str(verification.findings) == "[]"
    assert verification.unverified == ["marts.as_of.mine", "marts.mine"]
    assert any("Not verified" in line for line in lines(verification))


@pytest.mark.parametrize("mobile", ["masked", "hashed", "plain"])
def test_texts_are_masked_as_readers_get_them(tmp_path: Path, mobile: str) -> None:
    key = "a secret of sixteen or more" if mobile == "hashed" else None
    options = {"export_mobile": mobile, "export_mobile_key": key}
    settings = settings_of(tmp_path / "data", **options)
    land(settings, leaky_pushes())
    run(settings)
    assert told(settings) == ""
    other = settings_of(tmp_path / "data", export_mobile="plain" if mobile != "plain" else "masked")
    assert f"mobiles were published {mobile}, but DLR_EXPORT_MOBILE is" in told(other)


def test_the_moment_is_verified(settings: Settings) -> None:
    for column in ("as_of_utc", "final_until_utc", "unknown_until_utc"):
        warehouse(settings, f"update marts.as_of set {column} = {column} - interval 1 second")
        assert "marts.as_of: as_of_utc 2026-03-04" in told(settings), column
        warehouse(settings, f"update marts.as_of set {column} = {column} + interval 1 second")
    assert told(settings) == ""


def test_of_one_day_only_that_day_is_read_and_all_of_it(settings: Settings) -> None:
    first, last = (day.date() for day in (DAYS[0], DAYS[2]))
    one = verify(settings, day=last)
    assert (one.passed, one.files, one.pushes, one.messages) == (True, 4, 32, 32)
    assert one.fingerprint == verify(settings).fingerprint
    for statement, sentence in {
        "update raw.pushes set body_bytes = 1 where push_id like '%00000203-%'": "body_bytes is 1,",
        "delete from raw.pushes where push_id like '%00000204-%'": "has no row",
        "delete from core.sms_status where sid = 205": "sid 205 has no row",
        "update core.sms_status set copies = 0 where sid = 206": "sid 206: 0 copies",
        "update ops.ledger_by_file set records = 9 where file like '%0304%-a.%'": "records is 9,",
    }.items():
        copy = settings_of(settings.data.parent / f"{abs(hash(statement))}")
        shutil.copytree(settings.data, copy.data, symlinks=True)
        warehouse(copy, statement)
        assert sentence in told(copy, day=last), statement
        if "ledger" in statement or "pushes" in statement:
            assert sentence not in told(copy, day=first), statement


def test_of_one_day_what_readers_are_given_is_compared(settings: Settings) -> None:
    database = settings.data / "analytics.duckdb"
    old = database.read_bytes()
    land_on(settings, DAYS[1], "e", range(900, 950))
    run(settings)
    database.write_bytes(old)
    for day in (None, date(2026, 3, 2)):
        text = told(settings, day=day)
        assert "analytics.duckdb: the published file has" in text
        assert "core.sms_status has 96 rows, in the manifest it has 146" in text
        assert "analytics.duckdb, core.sms_status: sid 900 has no row" in text


def test_every_number_turned_french_is_found(settings: Settings) -> None:
    french = "mobile_e164 = '+33612345678', country_code = 'FR', range_operator = 'orange_france'"
    warehouse(settings, f"update core.sms_status set {french}")
    text = told(settings)
    assert 'mobile_e164 is "+…78", expected "+…14"; country_code is FR, expected CN' in text
    assert "range_operator is orange_france, expected china_mobile" in text


INTERRUPTED = """
import sys
from cli import main
from pipelines.verify import recount
recount._WORTH_TWO = 0
inner = recount.Recount._build
def build(self, *rest):
    print("building", flush=True)
    inner(self, *rest)
recount.Recount._build = build
sys.exit(main.main())
"""


def test_ctrl_c_ends_it_soon_and_leaves_nothing(settings: Settings) -> None:
    land_on(settings, DAYS[0], "many", range(10_000, 40_000))
    run(settings)
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, "verify"],
        env=os.environ | {"DLR_DATA": str(settings.data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "building\n"
    os.killpg(process.pid, signal.SIGINT)
    started = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - started < 20
    assert (process.returncode, "Traceback" in said) == (130, False)
    assert list((settings.data / "tmp").iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_killed_process_is_said_and_nothing_is_left(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount, "_WORTH_TWO", 0)

    def kill() -> None:
        own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        os.kill(int(own[-1]), signal.SIGKILL)

    with pytest.raises(WarehouseError, match="A process of the verification was killed"):
        verify(settings, on_progress=Once(kill))
    assert list((settings.data / "tmp").iterdir()) == []


NO_ROOM = """
import os, resource, signal, sys
from cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["MOST"]), resource.RLIM_INFINITY))
sys.exit(main.main())
"""


@pytest.mark.parametrize("spare", [-4096, 4096])
def test_without_room_it_says_so_in_a_sentence(settings: Settings, spare: int) -> None:
    """No room for the copy of the warehouse, or only for that."""
    land_on(settings, DAYS[0], "many", range(10_000, 40_000))
    run(settings)
    most = (settings.data / "warehouse.duckdb").stat().st_size + spare
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM, "verify"],
        env=os.environ | {"DLR_DATA": str(settings.data), "MOST": str(most)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stdout
    assert "cannot be used as a work folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((settings.data / "tmp").iterdir()) == []
