"""What `python -m tests.tamper` tries is complete, and verify sees a sample of it."""

import pytest

from tests.tamper.copies import Copy, published_models
from tests.tamper.declared import Round, rounds
from tests.tamper.trial import findings, try_round

_SAMPLE = 12


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("tamper"))


def test_every_published_column_view_and_file_is_tampered_with(copy: Copy) -> None:
    names = {one.name for tried in rounds(copy) for one in tried}
    for model in published_models():
        assert {f"data file {model.name}.{column}" for column in model.columns} <= names
        assert f"view {model.name}: doubled" in names
    assert {f"manifest {field}: missing" for field in copy.manifest()} <= names
    assert {f"report {name}" for name in ("comparable", "headline.now.reports")} <= names
    assert len(names) > 900


def test_no_table_of_the_folder_is_empty(copy: Copy) -> None:
    """Else nothing of it could be tampered with."""
    rows: dict[str, int] = {}
    for one in copy.manifest()["files"]:
        rows[one["table"]] = rows.get(one["table"], 0) + one["rows"]
    assert sorted(rows) == sorted(model.name for model in published_models())
    assert 0 not in rows.values()


def test_what_is_only_written_anew_gives_no_finding(copy: Copy) -> None:
    """So the books do agree after a tampering, and it is the content that is seen."""
    copy.put_back()
    for model in published_models():
        copy.rewrite_rows(model.name, "from {rows}")
    with copy.database() as con:
        con.execute("create macro one() as 1; drop macro one")
    copy.write_figures(copy.figures())
    copy.agree()
    assert findings(copy) == []


def test_the_untouched_folder_gives_no_finding_and_a_sample_of_tamperings_does(copy: Copy) -> None:
    copy.put_back()
    assert findings(copy) == []
    every: list[Round] = rounds(copy)
    for tried in every[:: len(every) // _SAMPLE]:
        assert [one for one in try_round(copy, tried) if not one.seen] == []
