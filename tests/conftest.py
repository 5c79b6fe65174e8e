"""How the suite is spread over processes; what one test needs stands in its own room."""

import os

import pytest

LONGEST_FIRST = (
    "test_crash.py",
    "test_up.py",
    "test_supervision.py",
    "test_sends.py",
    "test_edited_models.py",
    "test_compact.py",
    "test_repair.py",
    "test_publish.py",
    "test_dagster.py",
    "test_disk.py",
    "test_verify_state.py",
    "test_verify.py",
    "test_core.py",
    "test_truth.py",
    "test_report_page.py",
    "test_report_look.py",
    "test_recipes.py",
    "test_one_answer.py",
    "test_questions.py",
    "test_tamper.py",
    "test_folder_2.py",
)
"""Files that take longest: begun last, one of them would be waited for alone."""


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: servers, kills and browsers leave a core idle now and then."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files; within them, and after them, the order stays a random one."""
    place = {name: n for n, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))
