"""Make one line wrong at a time and name the test that notices: ``python -m tests.mutants``.

Names of mutants or of areas choose some of them. Exits 1 if a mutant survives, 2 if one cannot be
tried.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.copies import (
    MutantError,
    copy_tree,
    first_failure,
    mutated,
    refuse_other_code,
)
from tests.mutants.declared import MUTANTS, Mutant

SURVIVED = "**SURVIVED**"


def main() -> int:
    """Try what is asked for; print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a mutant, or an area of them")
    try:
        chosen = choose(parser.parse_args().names)
        refuse_failing_tests(chosen)
        return try_all(chosen)
    except MutantError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def choose(names: list[str]) -> list[Mutant]:
    """The mutants of these names or areas; all where none is given."""
    areas = {mutant.area for mutant in MUTANTS}
    if unknown := sorted(set(names) - areas - {mutant.name for mutant in MUTANTS}):
        raise MutantError(
            f"There is no mutant {', '.join(unknown)}. The areas are {', '.join(sorted(areas))}; "
            "their mutants stand in tests/mutants/declared.py."
        )
    return [one for one in MUTANTS if not names or {one.name, one.area} & set(names)]


def refuse_failing_tests(mutants: Iterable[Mutant]) -> None:
    """Raise MutantError where the tests fail on untouched files: then they catch nothing."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "copy"
        copy_tree(copy)
        refuse_other_code(copy)
        if failed := first_failure(copy, tests):
            raise MutantError(f"{failed} fails on the files as they are, so it catches nothing.")


def try_all(mutants: list[Mutant]) -> int:
    """Print a row for each mutant as soon as it is known; return 1 if one survived."""
    say("| mutant | what is wrong | first test that failed |")
    say("|---|---|---|")
    survived = 0
    for mutant in mutants:
        failed = try_one(mutant)
        survived += failed is None
        caught_by = SURVIVED if failed is None else f"`{failed.removeprefix('tests/')}`"
        say(f"| `{mutant.name}` | {mutant.wrong} | {caught_by} |")
    return 1 if survived else 0


def try_one(mutant: Mutant) -> str | None:
    """The first test that fails with this mutant, None where it survives."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "copy"
        copy_tree(copy)
        (copy / mutant.file).write_text(mutated(mutant, copy), encoding="utf-8")
        return first_failure(copy, mutant.tests)


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
