"""The recipes of CONTRIBUTING.md, carried out in a copy: each works, and costs what is said there.

A recipe's edits are what its words ask for. They are made in a copy of the tracked files and undone
after the trial, which runs in processes of the copy, over a folder that the code as it is has made.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import ndiff
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.command import ROOT, environment
from tests.data_folder import form, land_bodies, record, run, settings_of
from tests.mutants.copies import copy_tree


@dataclass(frozen=True)
class Recipe:
    """What one adds, as CONTRIBUTING's table names it, and the edits it takes."""

    adds: str
    edits: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """By file: a text that stands there once, and what takes its place."""
    files: dict[str, str] = field(default_factory=dict)
    """New files with their text."""


def behind(place: str, more: str) -> tuple[str, str]:
    """The edit that puts ``more`` right behind a text."""
    return place, place + more


CODE = Recipe(
    "a carrier code",
    edits={
        "warehouse/reference/carrier_errors.csv": (
            behind(
                "operator,code,category,permanent,meaning,confidence,source\n",
                "china_mobile,ZZ:77,network_error,no,made up for a test,low,this test\n",
            ),
        )
    },
)
MART = Recipe(
    "a mart with a unit test",
    edits={
        "docs/tables.md": (
            ("| `marts.as_of` |", "| `marts.countries` | country |\n| `marts.as_of` |"),
        )
    },
    files={
        "warehouse/marts/countries.sql": dedent(
            """\
            /*
            description: Messages by country, over all time.
            grain: country_code
            materialized: table
            export: file
            columns:
              country_code: varchar -- Country of the number, ISO 3166; null where unknown.
              reports: bigint -- Messages with a report.
              delivered: bigint -- Of these, the ones that arrived.
            */
            select
                country_code,
                count(*) as reports,
                count(*) filter (delivered) as delivered
            from core.sms_status
            group by country_code
            """
        ),
        "warehouse/marts/countries.yml": dedent(
            """\
            unit_tests:
              - name: counts_by_country
                model: marts.countries
                given:
                  - input: core.sms_status
                    rows:
                      - {sid: 1, country_code: CN, delivered: true}
                      - {sid: 2, country_code: CN, delivered: false}
                      - {sid: 3, country_code: null, delivered: true}
                expect:
                  rows:
                    - {country_code: CN, reports: 2, delivered: 1}
                    - {country_code: null, reports: 1, delivered: 1}
            """
        ),
        "pipelines/verify/expected/marts/countries.sql": dedent(
            """\
            select country_code, count(*) as reports, sum(delivered) as delivered
            from core_sms_status
            group by country_code
            """
        ),
    },
)
REASON = Recipe(
    "a reject reason",
    edits={
        "pipelines/decode/rejects.py": (
            behind(
                '    BAD_REPORT_STATUS = "bad_report_status"\n', '    NO_MOBILE = "no_mobile"\n'
            ),
        ),
        "pipelines/decode/slow_path.py": (
            behind(
                "Reason.BAD_REPORT_STATUS, STATUSES.__contains__),\n",
                '        ("mobile", Reason.NO_MOBILE, lambda value: value not in (None, "")),\n',
            ),
        ),
        "warehouse/steps/decode/fast_elements.sql": (
            behind(
                "            then 'bad_report_status'\n",
                "            when record.mobile is null or record.mobile = ''\n"
                "            then 'no_mobile'\n",
            ),
            behind("    case reason when 'bad_sid' then 'sid' ", "when 'no_mobile' then 'mobile' "),
            behind(
                "        when 'bad_report_status' then record.report_status[:1000]\n",
                "        when 'no_mobile' then record.mobile[:1000]\n",
            ),
        ),
        "warehouse/raw/rejected_records.sql": (
            ("bad_report_status, not_json", "bad_report_status, no_mobile, not_json"),
        ),
        "pipelines/verify/reports.py": (
            behind(
                '        return 0, ("bad_report_status", "report_status", _field_value(status))\n',
                '    if element.get("mobile") in (None, ""):\n'
                '        return 0, ("no_mobile", "mobile", element.get("mobile"))\n',
            ),
        ),
    },
)
COLUMN = Recipe(
    "a column of `sms_status`",
    edits={
        "warehouse/core/sms_status.sql": (
            behind(
                "  handset_time_raw: varchar -- user_receive_time as sent.\n",
                "  reported_again: boolean -- Whether it was reported more than once.\n",
            ),
            behind("    winner.handset_time_raw,\n", "    winner.copies > 1 as reported_again,\n"),
        ),
        "pipelines/verify/expected/core/sms_status.sql": (
            behind("    handset_raw as handset_time_raw,\n", "    copies > 1 as reported_again,\n"),
        ),
    },
)
SETTING = Recipe(
    "a setting",
    edits={
        "contract/settings.py": (
            behind(
                '    data: Path = Path("data")\n    """Folder of everything that is stored."""\n',
                "    patience_s: int = Field(default=30, ge=1)\n"
                '    """How long a command waits for another, in seconds."""\n',
            ),
        ),
        "docs/settings.md": (
            behind(
                "| `DLR_DATA` | `./data` | folder of everything that is stored |\n",
                "| `DLR_PATIENCE_S` | `30` | how long a command waits for another, in seconds |\n",
            ),
        ),
    },
)
QUESTION = Recipe(
    "a named question",
    files={
        "warehouse/questions/numbers_of_a_country.sql": dedent(
            """\
            /*
            question: How many messages went to a country?
            asked_by: sales
            parameters:
              country: ISO 3166; CN by default
            */
            select count(*) as messages
            from core.sms_status
            where country_code = coalesce(getvariable('country'), 'CN')
            """
        ),
    },
    edits={
        "tests/questions/test_questions.py": (
            ("    assert len(QUESTIONS) == 20\n", "    assert len(QUESTIONS) == 21\n"),
        ),
        "tests/questions/of_reports.py": (
            behind(
                "    return [(len(later), median(waits))]\n",
                dedent(
                    """\


                    @answers("numbers_of_a_country")
                    def numbers_of_a_country(world: World, given: Parameters) -> Rows:
                        country = given.get("country", "CN")
                        return [(sum(one.country == country for one in world.reports),)]
                    """
                ),
            ),
        ),
    },
)
RECIPES = (CODE, MART, REASON, COLUMN, SETTING, QUESTION)

TRY = """
import json, sys
from pathlib import Path
from pipelines.verify import verify
from tests.data_folder import ask, form, land, push, run, settings_of

settings = settings_of(Path(sys.argv[1]))
if sys.argv[3]:
    land(settings, [push(form(json.loads(sys.argv[3])), 100)], "later")
run(settings)
recount = verify(settings)
rows = ask(settings, sys.argv[2])
found = {"findings": [*map(str, recount.findings)], "unverified": [*recount.unverified]}
print(json.dumps(found | {"rows": rows}, default=str))
"""


@dataclass(frozen=True)
class Copy:
    """A copy of the tracked files in which recipes are carried out."""

    root: Path
    origin: Path
    """A data folder of the code as it is."""

    @contextmanager
    def after(self, recipe: Recipe) -> Iterator[None]:
        """Carry out a recipe; undone at the end."""
        try:
            for name, edits in recipe.edits.items():
                self._write(name, edited(recipe, name, edits))
            for name, text in recipe.files.items():
                assert not (ROOT / name).exists()
                self._write(name, text)
            yield
        finally:
            for name in recipe.edits:
                shutil.copy2(ROOT / name, self.root / name)
            for name in recipe.files:
                (self.root / name).unlink(missing_ok=True)

    def _write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def python(self, data: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run Python with the copy's code; nothing else is on its path."""
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env={**environment(data, **more), "PYTHONPATH": str(self.root)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def dlr(self, data: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the copy."""
        return self.python(data, "-m", "cli.main", *words, **more)

    def run(self, data: Path, query: str, *records: object) -> dict[str, Any]:
        """Land records, run once, verify, and ask readers' database."""
        shutil.copytree(self.origin, data, symlinks=True)
        landed = json.dumps(records) if records else ""
        trial = self.python(data, "-c", TRY, str(data), query, landed)
        assert trial.returncode == 0, trial.stderr
        found: dict[str, Any] = json.loads(trial.stdout)
        return found


def edited(recipe: Recipe, name: str, edits: tuple[tuple[str, str], ...]) -> str:
    """Text of a file after a recipe's edits."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, f"{recipe.adds}: {name} has not once {old!r}"
        text = text.replace(old, new)
    return text


def cost(recipe: Recipe) -> tuple[int, int]:
    """Files and lines that are new or changed."""
    lines = sum(len(text.splitlines()) for text in recipe.files.values())
    for name, edits in recipe.edits.items():
        before = (ROOT / name).read_text(encoding="utf-8").splitlines()
        after = edited(recipe, name, edits).splitlines()
        lines += sum(line.startswith("+ ") for line in ndiff(before, after))
    return len(recipe.edits) + len(recipe.files), lines


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The copy, and a folder with a failure of an unknown code, a repetition, and no number."""
    folder = tmp_path_factory.mktemp("recipes")
    copy_tree(folder / "copy")
    settings = settings_of(folder / "origin")
    failed = record(2, report_status="FAIL", error_msg="ZZ:77", error_detail="?")
    batch = [record(1), failed, record(3, mobile="+93703334567"), record(4, mobile="x")]
    land_bodies(settings, [form(batch), form(batch[:1])])
    run(settings)
    return Copy(folder / "copy", settings.data)


def test_a_carrier_code_is_looked_up_for_all_of_history(copy: Copy, tmp_path: Path) -> None:
    query = "select error_category, error_match from core.sms_status where sid = 2"
    with copy.after(CODE):
        trial = copy.run(tmp_path / "data", query)
    assert trial["rows"] == [["network_error", "operator"]]
    assert trial["findings"] == []


def test_a_mart_is_published_and_has_a_unit_test(copy: Copy, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with copy.after(MART):
        trial = copy.run(data, "from marts.countries order by country_code nulls last")
        right = copy.dlr(data, "model", "test", "marts.countries")
        cases = copy.root / "warehouse" / "marts" / "countries.yml"
        cases.write_text(cases.read_text().replace("reports: 2", "reports: 3"))
        wrong = copy.dlr(data, "model", "test", "marts.countries")
    assert trial["rows"] == [["AF", 1, 1], ["CN", 2, 1], [None, 1, 1]]
    assert (trial["findings"], trial["unverified"]) == ([], [])
    assert list((data / "exports").glob("countries/**/*.parquet"))
    assert right.returncode == 0, right.stdout + right.stderr
    assert wrong.returncode == 1, wrong.stdout + wrong.stderr
    assert "reports" in wrong.stdout + wrong.stderr


def test_a_reject_reason_is_given_by_both_paths_and_verified(copy: Copy, tmp_path: Path) -> None:
    query = "select position, field, value from raw.rejected_records where reason = 'no_mobile'"
    # a field that is no text takes a push to the slow path
    slow = record(7, mobile="", error_detail={"a": [1, {"b": None}]})
    with copy.after(REASON):
        fast = copy.run(tmp_path / "fast", query, record(5), record(6, mobile=None))
        both = copy.run(tmp_path / "both", query, record(5), slow)
    assert (fast["rows"], fast["findings"]) == ([[1, "mobile", None]], [])
    assert (both["rows"], both["findings"]) == ([[1, "mobile", ""]], [])


def test_a_column_is_there_for_all_of_history(copy: Copy, tmp_path: Path) -> None:
    query = "select sid, reported_again from core.sms_status order by sid"
    with copy.after(COLUMN):
        trial = copy.run(tmp_path / "data", query)
    assert trial["rows"] == [[1, True], [2, False], [3, False], [4, False]]
    assert trial["findings"] == []


def test_a_setting_is_read_and_a_wrong_value_refused(copy: Copy, tmp_path: Path) -> None:
    show = "from contract.settings import load_settings; print(load_settings().patience_s)"
    with copy.after(SETTING):
        given = copy.python(tmp_path, "-c", show, DLR_PATIENCE_S="5")
        default = copy.python(tmp_path, "-c", show)
        wrong = copy.dlr(tmp_path, "status", DLR_PATIENCE_S="never")
    assert (given.stdout, default.stdout) == ("5\n", "30\n")
    assert wrong.returncode != 0
    assert "DLR_PATIENCE_S" in wrong.stderr


def test_a_question_is_answered(copy: Copy, tmp_path: Path) -> None:
    words = ("sql", "--question", "numbers_of_a_country", "--format", "csv")
    with copy.after(QUESTION):
        answer = copy.dlr(copy.origin, *words)
        other = copy.dlr(copy.origin, *words, "--set", "country=AF")
        listed = copy.dlr(copy.origin, "sql", "--questions")
    assert (answer.stdout, other.stdout) == ("messages\n2\n", "messages\n1\n"), answer.stderr
    assert "How many messages went to a country?" in listed.stdout


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.adds)
def test_it_costs_what_contributing_says(recipe: Recipe) -> None:
    """Files: all numbers of the cell together. Lines: exact, or `about`; words for a new file."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {re.escape(recipe.adds)} \|([^|]*)\|([^|]*)\|$", text, re.MULTILINE)
    assert row, f"CONTRIBUTING.md has no row for {recipe.adds}, which costs {cost(recipe)}"
    files, lines = cost(recipe)
    assert sum(map(int, re.findall(r"\d+", row[1]))) == files, row[0]
    for number in map(int, re.findall(r"\d+", row[2])):
        assert abs(number - lines) <= ("about" in row[2]) * lines / 3, (row[0], lines)
