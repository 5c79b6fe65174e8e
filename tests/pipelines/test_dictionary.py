"""The data dictionary: complete, current, and a page that works from a file without a network."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.publish import dictionary
from tests.browser import Browser, browsing, why_no_browser
from tests.command import ROOT
from tests.data_folder import form, land, push, record, run


@pytest.fixture
def folder(settings: Settings) -> Path:
    """The exports of one message."""
    land(settings, [push(form([record(1)]))])
    run(settings)
    return manifest_path(settings).parent


def test_every_published_column_is_in_it_with_its_type_and_comment(
    settings: Settings, folder: Path
) -> None:
    text = (folder / "dictionary.md").read_text("utf-8")
    page = (folder / "dictionary.html").read_text("utf-8")
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        columns = con.execute(
            """
            select schema_name || '.' || table_name, column_name, lower(data_type), comment
            from duckdb_columns() where not internal
            """
        ).fetchall()
    assert len(columns) > 150
    for table, name, kind, comment in columns:
        section = text.partition(f"### {table}\n")[2].partition("\n#")[0]
        assert comment, f"{table}.{name} is not documented"
        assert f"| `{name}` | {kind} | {comment}".replace("||", "\\|\\|") in section, (table, name)
        assert f"<td><code>{name}</code></td><td>{kind}</td>" in page
    for model in dictionary.published():
        assert model.description in text
        assert f"One row per {model.grain}." in text


def test_it_says_what_is_masked() -> None:
    text = dictionary.markdown()
    for model in dictionary.published():
        for column in (*model.private, *model.free_text, *model.fragments):
            [line] = re.findall(
                rf"^\| `{column}` .*",
                text.partition(f"### {model.name}\n")[2].partition("\n#")[0],
                re.MULTILINE,
            )
            assert "masked" in line or "struck out" in line, line


def test_an_undocumented_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "marts" / "new.sql"
    path.parent.mkdir()
    for line in ("a: bigint", "a: bigint -- "):
        path.write_text(
            "/*\ndescription: New.\ngrain: a\nmaterialized: table\nexport: file\n"
            f"columns:\n  {line}\n*/\nselect 1"
        )
        with pytest.raises(models.ModelError, match="type -- comment"):
            models.read_model(path, tmp_path)


def test_the_copy_in_the_docs_is_current() -> None:
    kept = (ROOT / "docs" / "dictionary.md").read_text("utf-8")
    assert kept == dictionary.markdown(), (
        "python -m pipelines.publish.dictionary > docs/dictionary.md"
    )


def test_it_is_written_where_it_is_missing_or_behind_and_not_on_each_run(
    settings: Settings, folder: Path
) -> None:
    files = [folder / "dictionary.md", folder / "dictionary.html"]
    before = [path.stat().st_mtime_ns for path in files]
    land(settings, [push(form([record(2)]), 2)], "b")
    run(settings)
    assert [path.stat().st_mtime_ns for path in files] == before
    files[0].unlink()
    files[1].write_text("of an older version")
    assert run(settings).repaired == "dictionary.md, dictionary.html"
    assert "marts.delivery_daily" in files[0].read_text("utf-8")
    assert "marts.delivery_daily" in files[1].read_text("utf-8")
    assert [path.name for path in folder.glob(".*")] == [".current"], "nothing half made is left"


def test_the_page_asks_for_nothing_from_outside(folder: Path) -> None:
    page = (folder / "dictionary.html").read_text("utf-8")
    assert not re.findall(r"(?:src|href)=\"(?!#)", page)
    assert not re.findall(r"https?:|url\(|@import|\son[a-z]+=|\sstyle=", page)
    assert "default-src 'none'" in page


@pytest.fixture
def window(folder: Path, tmp_path: Path) -> Iterator[Browser]:
    """The page in a browser, from the disk."""
    reason = why_no_browser()
    if reason:
        pytest.skip(reason)
    with browsing(f"file://{folder}", tmp_path / "profile") as opened:
        opened.open("/dictionary.html", "marts.delivery_daily")
        yield opened


def shown(window: Browser) -> list[str]:
    """Tables that are to be seen."""
    return [one.get_attribute("id") or "" for one in window.find("//section") if one.is_displayed()]


def test_the_page_filters_from_a_file(window: Browser, tmp_path: Path) -> None:
    assert shown(window) == [model.name for model in dictionary.published()]
    [box] = window.find("//input")
    box.send_keys("wilson RECEIPT")
    window.wait(lambda: len(shown(window)) == 2)
    assert shown(window) == ["marts.delivery_daily", "marts.delivery_hourly"]
    assert {row.text.split()[0] for row in window.find("//tbody/tr") if row.is_displayed()} == {
        "receipt_rate_low",
        "receipt_rate_high",
    }
    box.send_keys(" and nothing else")
    window.wait(lambda: not shown(window))
    assert "Nothing matches all of these words." in window.text()
    window.screenshot(tmp_path / "dictionary.png")
