"""A copy of the tracked files in which one line can be made wrong, and tests run there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.declared import Mutant

ROOT = Path(__file__).parent.parent.parent

_PYTEST = ("-x", "-q", "-n0", "--tb=no", "-rfE", "-p", "no:randomly", "-p", "no:cacheprovider")
_SAME_EVERY_TIME = "--hypothesis-seed=0"
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?::.+?)(?: - .*)?$", re.MULTILINE)
_WHERE = """
import cli.main, ingest.app, pipelines.models, simulator.simulate, tests.data_folder
modules = (cli.main, ingest.app, pipelines.models, simulator.simulate, tests.data_folder)
print(*(one.__file__ for one in modules), pipelines.models.WAREHOUSE, sep="\\n")
"""


class MutantError(RuntimeError):
    """A mutant or its tests cannot be used; the text says why."""


def tracked_files() -> list[str]:
    """Paths git knows of, below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name]


def copy_tree(target: Path) -> None:
    """Copy every tracked file as it lies in the working tree."""
    for name in tracked_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name, follow_symlinks=False)


def mutated(mutant: Mutant, root: Path = ROOT) -> str:
    """Text of the mutant's file below ``root`` with its line made wrong.

    Raises MutantError where the right text does not stand there exactly once.
    """
    text = (root / mutant.file).read_text(encoding="utf-8")
    found = text.count(mutant.old)
    if found != 1:
        raise MutantError(
            f"{mutant.name}: its text stands {found} times in {mutant.file}, not once: "
            f"{mutant.old!r}. Bring tests/mutants/declared.py to what the file says now."
        )
    return text.replace(mutant.old, mutant.new)


def refuse_other_code(copy: Path) -> None:
    """Raise MutantError unless a Python process with the copy's environment runs the copy."""
    asked = subprocess.run(
        [sys.executable, "-c", _WHERE],
        cwd=copy.parent,  # so that nothing but the environment leads to the copy
        env=_environment(copy),
        capture_output=True,
        text=True,
        check=True,
    )
    for place in asked.stdout.split("\n")[:-1]:
        if not Path(place).is_relative_to(copy):
            raise MutantError(f"{place} would run, which is not in the copy {copy}.")


def first_failure(copy: Path, tests: Iterable[str]) -> str | None:
    """Run tests in a copy; the first that failed, None where all passed.

    Raises MutantError where they could not be run at all.
    """
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *_PYTEST, _SAME_EVERY_TIME, *tests],
        cwd=copy,
        env=_environment(copy),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode == 0:
        return None
    failed = _FAILED.search(run.stdout)
    if run.returncode != 1 or failed is None:
        said = (run.stdout + run.stderr)[-2000:]
        raise MutantError(f"pytest could not run the tests and ended with {run.returncode}: {said}")
    return failed[1]


def _environment(copy: Path) -> dict[str, str]:
    """The product is installed in place, but what ``PYTHONPATH`` names comes before."""
    return {**os.environ, "PYTHONPATH": str(copy)}
