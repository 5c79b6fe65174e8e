"""Digests that are known to give the same rows: the list is complete, and asks for no work."""

from pathlib import Path

import duckdb
import pytest

from contract.settings import Settings
from pipelines import models
from pipelines.decode.rules import decoded_otherwise
from pipelines.models import digests
from pipelines.models.computed import outdated
from pipelines.models.digests import DECODING, SENDS, digested, equal_digests
from pipelines.models.warehouse import open_warehouse, prepare
from pipelines.sends.files import pending_sends
from tests.data_folder import form, land, push, record, settings_of, take, warehouse
from tests.edited_warehouse import EditedWarehouse, edited
from tools.equal_digests import todays_digests, update

__all__ = ["edited"]


@pytest.mark.parametrize("what", digested())
def test_todays_digest_is_listed(what: str) -> None:
    digest = todays_digests()[what]
    assert digest in equal_digests()[what], (
        f"The digest of {what} is {digest}, and pipelines/models/equal_digests.csv lacks it. "
        "If your change computes the same rows as before, run `python -m tools.equal_digests`. If "
        f"it does not, first delete the older rows of {what} from that file, then run it."
    )


@pytest.fixture
def taken(tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path / "data")
    land(settings, [push(form([record(1), record(2)]))])
    settings.sends.mkdir(parents=True)
    (settings.sends / "a.csv").write_text("sid,sent_at\n1,2026-03-02 07:59:00\n", encoding="utf-8")
    take(settings)
    return settings


def work(settings: Settings) -> tuple[list[str], int, int]:
    """Outdated tables, days decoded by other rules, send files to be read again."""
    with open_warehouse(settings, read_only=True) as con:
        tables = [model.name for model in outdated(con)]
        return tables, len(decoded_otherwise(con)), len(pending_sends(con, settings))


def pretend(settings: Settings, digest: str) -> None:
    """Let everything be computed by something else."""
    warehouse(settings, f"update ops.models set digest = '{digest}'")
    warehouse(settings, f"update ops.decoded_days set decoder = '{digest}'")
    warehouse(settings, f"update ops.send_files set reader = '{digest}'")


def test_a_folder_of_listed_digests_needs_no_work(taken: Settings) -> None:
    first = {what: listed[0] for what, listed in equal_digests().items()}
    for what, digest in first.items():
        warehouse(taken, f"update ops.models set digest = '{digest}' where model = '{what}'")
    warehouse(taken, f"update ops.decoded_days set decoder = '{first[DECODING]}'")
    warehouse(taken, f"update ops.send_files set reader = '{first[SENDS]}'")
    assert work(taken) == ([], 0, 0)


def test_a_digest_that_is_not_listed_asks_for_work(taken: Settings) -> None:
    assert work(taken) == ([], 0, 0)
    pretend(taken, "another")
    computed = [name for name, model in models.load_models().items() if model.is_computed]
    assert work(taken) == (computed, 1, 1)


def test_under_other_settings_a_listed_digest_is_not_enough(taken: Settings) -> None:
    elsewhere = settings_of(taken.data, provider_timezone="UTC")
    for what, listed in equal_digests().items():
        warehouse(taken, f"update ops.models set digest = '{listed[0]}' where model = '{what}'")
    assert "core.sms_status" in work(elsewhere)[0]


def test_after_an_edit_a_listed_digest_is_not_enough(
    taken: Settings, edited: EditedWarehouse
) -> None:
    edited.replace("marts/failures_daily.sql", "count(*) as failures", "2 * count(*) as failures")
    assert "marts.failures_daily" in work(taken)[0]


def test_decoding_is_what_lies_in_the_rooms_of_decoding(edited: EditedWarehouse) -> None:
    def now() -> tuple[str, str]:
        with duckdb.connect() as con:
            prepare(con, Settings.model_construct())
            current = digests.digests_now(con)
        return current.of(DECODING), current.of(SENDS)

    decoding, sends = now()
    edited.replace("steps/decode/skipped_lines.sql", "or push.lines > 1", "or push.lines > 2")
    assert now()[0] != decoding
    assert now()[1] == sends
    decoding = now()[0]
    edited.replace("steps/send_files/read_sends.sql", "'no_key'", "'keyless'")
    assert now()[0] == decoding
    assert now()[1] != sends
    assert "decode_push" in digests.python_meaning("pipelines.decode.decoding")
    assert "read_json_lines" in digests.python_meaning("pipelines.sends.rows")


def test_the_tool_keeps_older_rows_and_replaces_todays(tmp_path: Path) -> None:
    path = tmp_path / "equal.csv"
    head = "what,digest,since\n"
    path.write_text(f"{head}a,1,d302e0a\nb,3,2026-11-28\nb,4,2026-11-29\n", encoding="utf-8")
    update(path, {"a": "2", "b": "3"}, "2026-11-29")
    assert path.read_text(encoding="utf-8") == (
        f"{head}a,1,d302e0a\na,2,2026-11-29\nb,3,2026-11-28\n"
    )


def test_what_python_fills_depends_on_what_its_header_names(edited: EditedWarehouse) -> None:
    assert models.dependencies()["raw.pushes"] == {"landing/yunpian"}
    assert models.dependencies()["ops.sends_ledger"] == {"raw.sends", "core.sends"}
    edited.replace("ops/ledger.sql", "[raw.pushes,", "[raw.pushed,")
    with pytest.raises(models.ModelError, match=r"ledger\.sql: depends_on names raw\.pushed"):
        models.dependencies()
