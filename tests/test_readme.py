"""What the README shows works as it stands there."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from cli.main import COMMANDS
from contract.settings import Settings
from pipelines.folder.show import analytics_path
from pipelines.sends.files import bring_in
from simulator.options import SimulationOptions
from simulator.simulate import iter_pushes
from tests.command import ROOT
from tests.data_folder import land, push, run, settings_of

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Half a day of simulated traffic, published."""
    settings = settings_of(tmp_path_factory.mktemp("readme") / "data")
    log = tmp_path_factory.mktemp("log") / "sends.csv"
    traffic = SimulationOptions(messages=3_000, days=0.5, bad=0.01, sends=log)
    land(
        settings,
        [push(one.body, n, received_at=one.at) for n, one in enumerate(iter_pushes(traffic))],
    )
    bring_in(settings, log)
    run(settings)
    return settings


@pytest.fixture
def con(published: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(analytics_path(published), read_only=True) as con:
        yield con


def test_there_are_seven_example_queries() -> None:
    assert len(QUERIES) == 7


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_the_example_queries_answer(con: duckdb.DuckDBPyConnection, query: str) -> None:
    rows = con.execute(query).fetchall()
    assert rows
    filled = [any(row[n] is not None for row in rows) for n in range(len(rows[0]))]
    assert all(filled), "a column of the answer is empty"


def test_the_pandas_example_runs(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(published.data.parent)
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    assert len(names["frame"]) > 0  # type: ignore[arg-type]


def test_every_setting_and_command_is_in_the_readme() -> None:
    settings = {f"DLR_{name.upper()}" for name in Settings.model_fields}
    assert settings <= set(re.findall(r"DLR_[A-Z_]+", README))
    assert set(COMMANDS) <= set(re.findall(r"`dlr ([a-z]+)", README))


@pytest.mark.parametrize(
    "page", sorted({*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/**/*.md")})
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_it_shows_every_picture_and_none_is_large() -> None:
    shown = {ROOT / path for path in re.findall(r"\]\((docs/pictures/[^)]+)\)", README)}
    there = set((ROOT / "docs" / "pictures").iterdir())
    assert shown == there
    assert {path.name for path in there} >= {"report.webp", "dictionary.webp", "asset.webp"}
    assert all(path.stat().st_size < 200_000 for path in there)
