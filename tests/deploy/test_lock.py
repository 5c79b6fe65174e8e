"""`requirements.lock` holds what an installation needs, in the versions the suite is run with."""

import re
import tomllib

from tests.command import ROOT


def name_of(requirement: str) -> str:
    """The name of a package as indexes compare it."""
    name = re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(file: str) -> dict[str, str]:
    """Version by name of every ``name==version`` of a file."""
    pinned = re.findall(r"^([\w.\-\[\]]+)==([^\s;\\]+)", (ROOT / file).read_text(), re.MULTILINE)
    return {name_of(name): version for name, version in pinned}


def test_the_lock_names_every_package_the_product_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["pipelines"]
    assert {name_of(requirement) for requirement in asked} <= versions("requirements.lock").keys()


def test_lock_and_constraints_pin_the_same_versions() -> None:
    lock, constraints = versions("requirements.lock"), versions("constraints.txt")
    differing = {
        name: (version, constraints[name])
        for name, version in lock.items()
        if constraints.get(name, version) != version
    }
    assert not differing
    assert len(lock.keys() & constraints.keys()) > 50


def test_every_package_of_the_lock_has_hashes() -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text().strip())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
