"""The mutants still fit the files they make wrong; that they are caught is ``tests/mutants``."""

import re
from collections import Counter

import pytest

from tests.mutants.copies import ROOT, mutated
from tests.mutants.declared import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_still_applies(mutant: Mutant) -> None:
    assert mutated(mutant) != (ROOT / mutant.file).read_text(encoding="utf-8")
    assert all((ROOT / test.partition("::")[0]).is_file() for test in mutant.tests)


def test_every_area_has_three_or_more_and_no_name_stands_twice() -> None:
    areas = Counter(mutant.area for mutant in MUTANTS)
    assert set(areas) == {
        "winner", "decoding", "ledger", "publish", "zone", "carrier", "number", "operation",
    }  # fmt: skip
    assert min(areas.values()) >= 3
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_the_readme_lists_them_all_and_no_other() -> None:
    readme = (ROOT / "tests" / "mutants" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+/[a-z0-9-]+)` \| (.+?) \| `", readme, re.MULTILINE)
    assert listed == [(one.name, one.wrong) for one in MUTANTS]
