"""The unit tests beside the models hold, there is one for every mart, and they can fail."""

import re
import textwrap
from typing import Any

import pytest

from cli.main import main
from pipelines import models
from pipelines.models import WAREHOUSE
from pipelines.models.unit_tests import UnitTest, load_unit_tests, run_unit_test
from tests.edited_warehouse import EditedWarehouse, edited

__all__ = ["edited"]

CASES = load_unit_tests()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.model}-{case.name}")
def test_a_model_makes_of_given_rows_what_is_expected(case: UnitTest) -> None:
    difference = run_unit_test(case)
    assert not difference, f"\n{difference}"


def test_every_mart_and_the_winner_rule_have_a_case() -> None:
    marts = {name for name in models.load_models() if name.startswith("marts.")}
    assert marts | {"winning_reports"} <= {case.model for case in CASES}


def test_a_wrong_model_fails_with_a_small_diff(edited: EditedWarehouse, capsys: Any) -> None:
    edited.replace("marts/unmapped_errors.sql", "sum(failures)", "count(failures)")
    assert main(["model", "test", "marts.unmapped_errors"]) == 1
    output = capsys.readouterr().out
    assert "FAIL  marts.unmapped_errors  days_of_a_code_are_one_row" in output
    assert "- {'operator': 'o2', 'error_code': 'X', 'failures': '5'" in output
    assert "+ {'operator': 'o2', 'error_code': 'X', 'failures': '2'" in output
    assert output.endswith("1 unit tests, 1 failed.\n")


def test_the_winner_rule_is_pinned_by_its_cases(edited: EditedWarehouse) -> None:
    edited.replace(
        "steps/messages/ranked_reports.sql", "handset_time_utc desc", "handset_time_utc asc"
    )
    failed = {case.name for case in CASES if case.model == "winning_reports" if run_unit_test(case)}
    assert "the_later_handset_time_wins" in failed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"core.sms_statuses": []}, r"case: there is no input core\.sms_statuses"),
        ({"core.sms_status": [{"colour": 1}]}, r"case of marts\.as_of: .*colour"),
    ],
)
def test_a_name_that_does_not_exist_is_one_sentence(given: Any, message: str) -> None:
    with pytest.raises(models.ModelError, match=message):
        run_unit_test(UnitTest("case", "marts.as_of", given, []))


def test_a_file_of_another_form_is_named(edited: EditedWarehouse) -> None:
    edited.write("marts/as_of.yml", "unit_tests:\n  - name: a\n")
    with pytest.raises(models.ModelError, match=r"as_of\.yml: KeyError\('model'\)"):
        load_unit_tests()


def test_the_new_mart_of_the_readme_is_true(edited: EditedWarehouse) -> None:
    page = (WAREHOUSE / "README.md").read_text(encoding="utf-8")
    for language, suffix in (("sql", "sql"), ("yaml", "yml")):
        block = re.search(rf"^   ```{language}\n(.*?)^   ```", page, re.DOTALL | re.MULTILINE)
        assert block
        edited.write(f"marts/volume_daily.{suffix}", textwrap.dedent(block[1]))
    [case] = [case for case in load_unit_tests() if case.model == "marts.volume_daily"]
    assert not run_unit_test(case)
    assert models.dependencies()["marts.volume_daily"] == {"core.sms_status"}
