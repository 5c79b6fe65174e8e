"""What the README and the pages under docs/ show works as it stands there."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from cli.main import COMMANDS
from contract.settings import Settings
from pipelines.folder.show import analytics_path
from pipelines.publish import dictionary
from pipelines.sends.files import bring_in
from simulator.options import SimulationOptions
from simulator.simulate import iter_pushes
from tests.command import ROOT, dlr
from tests.data_folder import land, push, run, settings_of

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted({README, *DOCS.glob("*.md")})
"""Pages whose examples run; those of docs/bi run in tests/readers/test_docs.py."""


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def examples(language: str) -> list[tuple[str, str]]:
    """Every fenced example in a language, with the page it is on."""
    fence = re.compile(rf"```{language}\n(.*?)```", re.DOTALL)
    return [(page.stem, code) for page in PAGES for code in fence.findall(text_of(page))]


QUERIES = examples("sql")
ROOMS = ("benchmarks", "cli", "contract", "ingest", "pipelines", "simulator", "tests", "tools")
ROOM_READMES = [
    page for room in (*ROOMS, "warehouse") for page in ROOT.glob(f"{room}/**/README.md")
]


def headings(page: Path) -> set[str]:
    """What a link may name behind its #, as GitHub makes it of the headings."""
    titles = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


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


def test_the_page_of_queries_has_seven_and_those_of_the_readme() -> None:
    there = [query for page, query in QUERIES if page == "queries"]
    shown = [query for page, query in QUERIES if page == "README"]
    assert len(there) == len(set(there)) == 7
    assert len(shown) == 2
    assert set(shown) < set(there)


@pytest.mark.parametrize(
    ("page", "query"), QUERIES, ids=[f"{page}-{n}" for n, (page, _) in enumerate(QUERIES)]
)
def test_the_example_queries_answer(con: duckdb.DuckDBPyConnection, page: str, query: str) -> None:
    rows = con.execute(query).fetchall()
    assert rows
    filled = [any(row[n] is not None for row in rows) for n in range(len(rows[0]))]
    assert all(filled), "a column of the answer is empty"


def test_the_pandas_example_runs(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(published.data.parent)
    [(_, code)] = examples("python")
    names: dict[str, object] = {}
    exec(code, names)
    assert len(names["frame"]) > 0  # type: ignore[arg-type]


def test_the_example_of_a_send_log_is_taken_whole(tmp_path: Path) -> None:
    [lines] = re.findall(r"<<'END'\n(.*?)END\n", text_of(DOCS / "send-log.md"), re.DOTALL)
    log = tmp_path / "orders.csv"
    log.write_text(lines, encoding="utf-8")
    settings = settings_of(tmp_path / "data")
    assert dlr(settings.data, "sends", "import", str(log)).returncode == 0
    run(settings)
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        taken = con.execute("select sid, uid, tag, sent_at_utc from core.sends order by sid")
        assert taken.fetchall() == [
            (9527, "abc", "otp", datetime(2014, 3, 17, 14, 55, 10)),
            (9528, None, "campaign-7", datetime(2014, 3, 17, 14, 55, 12, 250_000)),
        ]


def test_every_setting_is_a_row_with_its_default() -> None:
    rows = re.findall(
        r"^\| `DLR_([A-Z_]+)` \| (.+?) \| .+ \|$", text_of(DOCS / "settings.md"), re.MULTILINE
    )
    fields = Settings.model_fields
    assert [name.lower() for name, _ in rows] == list(fields)
    for name, default in rows:
        shown = re.fullmatch(r"`(.+)`", default)
        if shown:
            given = Settings.model_validate({name.lower(): shown[1]})
            assert getattr(given, name.lower()) == fields[name.lower()].default, name
        else:
            assert fields[name.lower()].default in ((), None, ""), name


def test_every_command_is_a_row() -> None:
    rows = re.findall(r"^\| `dlr ([a-z]+)", text_of(DOCS / "commands.md"), re.MULTILINE)
    assert set(COMMANDS) <= set(rows)


def test_every_published_table_is_named_once() -> None:
    rows = re.findall(r"^\| (`.+`) \| .+ \|$", text_of(DOCS / "tables.md"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([a-z_.]+)`", row)]
    assert sorted(named) == sorted(model.name for model in dictionary.published())


def test_the_readme_leads_to_every_page_and_is_short() -> None:
    text = text_of(README)
    linked = {ROOT / target for target in re.findall(r"\]\((docs/[^)#]+)", text)}
    assert set(DOCS.glob("*.md")) <= linked
    assert len(text.splitlines()) <= 115


def test_every_decision_is_in_the_index() -> None:
    index = text_of(DOCS / "decisions" / "README.md")
    listed = re.findall(r"\]\(([^)]+)\)", index)
    there = sorted(path.name for path in (DOCS / "decisions").glob("20*.md"))
    assert sorted(listed) == there
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d-[a-z0-9-]+\.md", name) for name in there)


@pytest.mark.parametrize("page", sorted({*ROOT.glob("*.md"), *DOCS.glob("**/*.md"), *ROOM_READMES}))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text_of(page)):
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def test_it_shows_every_picture_and_none_is_large() -> None:
    shown = {
        (page.parent / path).resolve()
        for page in PAGES
        for path in re.findall(r"\]\(((?:docs/)?pictures/[^)]+)\)", text_of(page))
    }
    there = set((DOCS / "pictures").iterdir())
    assert "](docs/pictures/report.webp)" in "\n".join(text_of(README).splitlines()[:20])
    assert shown == there
    assert {path.name for path in there} >= {"report.webp", "dictionary.webp", "asset.webp"}
    assert all(path.stat().st_size < 200_000 for path in there)
