"""What docs/bi tells people to type gives an answer."""

import json
import re
from pathlib import Path

import duckdb
import pytest

from pipelines.folder.show import manifest_path
from tests.command import ROOT
from tests.readers.published import Published

PAGES = sorted((ROOT / "docs" / "bi").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_a_page_is_short_and_says_what_was_tested(page: Path) -> None:
    text = page.read_text("utf-8")
    assert len(text.splitlines()) <= 40
    assert "were not run" in text or ("**Tested**" in text and "**Not tested**" in text)
    for name in re.findall(r"`(tests/[a-z_/]+\.py|tests/readers/)`", text):
        assert (ROOT / name).exists(), name


def test_the_queries_answer(published: Published) -> None:
    queries = [
        query.replace("$__timeFilter(hour_utc)", "true")
        for page in PAGES
        for query in re.findall(r"```sql\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    metrics = re.findall(
        r"    (?:100 \* |.*?(?=100 \*))(.*\(sum.*)",
        (PAGES[0].parent / "superset.md").read_text("utf-8"),
    )
    assert len(metrics) == 3
    queries.append(f"select {', '.join(metrics)} from marts.delivery_daily")
    with duckdb.connect(published.database, read_only=True) as con:
        for query in queries:
            rows = con.execute(query).fetchall()
            assert rows
            assert all(None not in row for row in rows), query


def test_the_manifest_has_the_names_that_power_query_follows(published: Published) -> None:
    text = (ROOT / "docs" / "bi" / "power-bi.md").read_text("utf-8")
    manifest = json.loads(manifest_path(published.settings).read_text("utf-8"))
    [table] = re.findall(r'\[table\] = "([a-z_.]+)"', text)
    [file] = [one for one in manifest["files"] if one["table"] == table]
    assert file["path"].endswith(".parquet")
