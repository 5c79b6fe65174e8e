"""Each named question gives the true answer; a new one needs a file, and its answer here."""

import json
import math
from pathlib import Path
from typing import Any

import duckdb
import pytest

from contract.settings import Settings
from pipelines.folder.show import analytics_path
from pipelines.models.questions import load_questions
from simulator.encodings import Encoding
from tests.command import dlr
from tests.data_folder import run, settings_of
from tests.questions import of_reports, of_sends
from tests.questions.world import ANSWERS, World
from tests.simulated import as_people_keep_it, bring_in_sends, land_in_files, simulated

QUESTIONS = load_questions()
SET = {
    "delivery_by_operator": {"since": "2026-01-07"},
    "worst_hours": {"reports": "55"},
    "top_failure_codes": {"operator": "china_unicom"},
    "handset_latency_by_operator": {"tag": "otp"},
    "delivered_in_time": {"tag": "marketing", "seconds": "5"},
    "end_to_end_by_hour": {"day": "2026-01-06"},
}
"""Parameters to ask with, once more."""
ASKED: list[tuple[str, dict[str, str]]] = [(name, {}) for name in QUESTIONS] + list(SET.items())
_ROOMS = (of_reports, of_sends)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Settings]:
    """Five days of traffic, a send log as people keep it, both published."""
    folder = tmp_path_factory.mktemp("questions")
    traffic = simulated(
        folder,
        messages=8_000,
        days=5,
        seed=8,
        bad=0.01,
        damaged=0.02,
        unreported=0.02,
        # bad bytes in what is not encoded, with parameters behind it, can be read in two ways
        encodings={Encoding.ONCE: 0.9, Encoding.TWICE: 0.1},
    )
    settings = settings_of(folder / "data")
    land_in_files(settings, traffic.envelopes)
    sends = as_people_keep_it(traffic.sends, seed=4)
    bring_in_sends(settings, sends, folder / "log")
    run(settings)
    return World(traffic, sends), settings


def test_there_are_twenty_and_each_has_a_true_answer() -> None:
    assert len(QUESTIONS) == 20
    assert set(QUESTIONS) == set(ANSWERS)


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_says_what_it_asks_and_who_asks_it(name: str) -> None:
    question = QUESTIONS[name]
    assert "?" in question.question
    assert question.asked_by in ("product manager", "bill payer", "on call")
    assert set(question.parameters) == set(SET.get(name, {}))
    assert all(f"getvariable('{one}')" in question.sql for one in question.parameters)


@pytest.mark.parametrize(("name", "given"), ASKED, ids=[f"{n}{g or ''}" for n, g in ASKED])
def test_the_answer_is_true(
    world: tuple[World, Settings], name: str, given: dict[str, str]
) -> None:
    happened, settings = world
    expected = ANSWERS[name](happened, given)
    assert expected, "nothing to compare"
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        for parameter, value in given.items():
            con.execute(f"set variable {parameter} = '{value}'")
        found = con.execute(QUESTIONS[name].sql).fetchall()
    assert len(found) == len(expected)
    for row, true in zip(found, expected, strict=True):
        assert all(map(same, row, true)), (row, true)


def same(found: Any, true: Any) -> bool:
    """Equal; fractions to twelve digits, for a database adds in another order."""
    if isinstance(found, float) and isinstance(true, float | int):
        return math.isclose(found, true, rel_tol=1e-12, abs_tol=1e-12)
    return bool(found == true)


def test_no_answer_is_without_content(world: tuple[World, Settings]) -> None:
    """An answer that is all zeros would be true of anything."""
    for name, answer in ANSWERS.items():
        rows = answer(world[0], {})
        for n in range(len(rows[0])):
            assert any(row[n] not in (None, 0) for row in rows) or isinstance(rows[0][n], bool), (
                name
            )


def test_the_command_answers_and_lists(world: tuple[World, Settings]) -> None:
    data = world[1].data
    listed = dlr(data, "sql", "--questions").stdout
    for question in QUESTIONS.values():
        assert question.name in listed
        assert question.question in listed
    words = ("sql", "--question", "delivered_in_time", "--set", "seconds=5", "--format", "json")
    answer = json.loads(dlr(data, *words, "--set", "tag=otp").stdout)
    [true] = ANSWERS["delivered_in_time"](world[0], {"seconds": "5", "tag": "otp"})
    assert [all(map(same, row.values(), true)) for row in answer] == [True]


def test_what_does_not_exist_is_said_in_a_sentence(tmp_path: Path) -> None:
    for words, sentence in (
        (("--question", "worst_hour"), "Did you mean worst_hours"),
        (("--question", "worst_hours", "select 1"), "not both"),
    ):
        done = dlr(tmp_path / "data", "sql", *words)
        assert done.returncode == 1
        assert sentence in done.stderr
    settings = settings_of(tmp_path / "data")
    run(settings)
    done = dlr(settings.data, "sql", "--question", "worst_hours", "--set", "day=1")
    assert done.returncode == 1
    assert "reports" in done.stderr
