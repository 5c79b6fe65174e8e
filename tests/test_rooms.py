"""The import law of `pyproject.toml`: kept by the tree, broken by every forbidden import."""

import json
import shutil
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import grimp
import pytest

from tests.command import ROOT

LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
PACKAGES: list[str] = LINTER["root_packages"]

ONE_WAY = "A push goes one way through the rooms of the pipeline"
STANDS_ON = "Commands stand on the rooms, the rooms on what all share"
APART = "Receiver, pipeline and simulator do not know each other"
VERIFY = "Verification shares the settings and the lock with what it verifies, nothing else"
DAGSTER = "Dagster stays in its room"
SUPERVISION = "Supervision needs neither Dagster nor the engine"
RECEIVER = "The receiver serves without the pipeline's libraries"
PIPELINE = "The pipeline runs without the receiver's libraries"

PLANTS = (
    ("pipelines/load/load.py", "import ingest.durable", APART),
    ("ingest/landing.py", "import pipelines.folder.files", APART),
    ("ingest/app.py", "import simulator.provider", APART),
    ("simulator/traffic.py", "import ingest.wire", APART),
    ("pipelines/runs/status.py", "import simulator.clock", APART),
    ("pipelines/models/rows.py", "import tools.number_ranges", STANDS_ON),
    ("simulator/provider.py", "from contract import settings", STANDS_ON),
    ("contract/settings.py", "import pipelines.folder.files", STANDS_ON),
    ("contract/envelope.py", "from ingest import wire", STANDS_ON),
    ("ingest/health.py", "import cli.bars", STANDS_ON),
    ("pipelines/publish/publish.py", "import cli.instance", STANDS_ON),
    ("cli/main.py", "import benchmarks", STANDS_ON),
    ("pipelines/models/catalog.py", "import pipelines.runs.status", ONE_WAY),
    ("pipelines/folder/files.py", "import pipelines.models", ONE_WAY),
    ("pipelines/landing/members.py", "import pipelines.decode.rejects", ONE_WAY),
    ("pipelines/decode/salvage.py", "from pipelines.sends import text", ONE_WAY),
    ("pipelines/sends/rows.py", "import pipelines.load.ledger", ONE_WAY),
    ("pipelines/load/load.py", "from pipelines.publish.publish import publish", ONE_WAY),
    ("pipelines/publish/publish.py", "import pipelines.runs.history", ONE_WAY),
    ("pipelines/runs/status.py", "import pipelines.verify.books", ONE_WAY),
    ("pipelines/anew/__init__.py", "import pipelines.folder.files", ONE_WAY),
    ("pipelines/anew.py", '"""In no layer."""', ONE_WAY),
    ("pipelines/verify/books.py", "import contract.envelope", VERIFY),
    ("pipelines/verify/recount.py", "from contract.progress import progress", VERIFY),
    ("pipelines/verify/scratch.py", "from pipelines.folder.files import sync", VERIFY),
    ("pipelines/verify/recompute.py", "from pipelines.models import parsing", VERIFY),
    ("pipelines/runs/history.py", "import pipelines.service.look", ONE_WAY),
    ("pipelines/service/look.py", "import pipelines.runs.history", SUPERVISION),
    ("pipelines/service/look.py", "import duckdb", SUPERVISION),
    ("pipelines/load/load.py", "import dagster", DAGSTER),
    ("pipelines/verify/tasks.py", "from dagster import job", DAGSTER),
    ("contract/progress.py", "import dagster as dg", DAGSTER),
    ("ingest/worker.py", "import duckdb", RECEIVER),
    ("contract/envelope.py", "import pandas as pd", RECEIVER),
    ("pipelines/runs/status.py", "import falcon", PIPELINE),
    ("contract/settings.py", "import uvicorn", PIPELINE),
)
"""A file, what is written at its end, and the contract that refuses it."""

LINT = """
import json, sys
from pathlib import Path
from importlinter.application import use_cases
from importlinter.configuration import configure

configure()
options = use_cases.read_user_options("pyproject.toml")
use_cases._register_contract_types(options)


def broken():
    report = use_cases.create_report(options, cache_dir=None)
    assert not report.invalid_contract_options, report.invalid_contract_options
    checked = report.get_contracts_and_checks()
    return [contract.name for contract, check in checked if not check.kept]


answers = [broken()]
for name, text in json.load(sys.stdin):
    file = Path(name)
    before = file.read_text() if file.exists() else None
    made = not file.parent.exists()
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{before or ''}\\n{text}\\n")
    answers.append(broken())
    file.write_text(before) if before is not None else file.unlink()
    if made:
        file.parent.rmdir()
answers.append(broken())
print("\\n" + json.dumps(answers))
"""


def copy_code(target: Path) -> None:
    """What the linter reads: the packages' Python and the law."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            target / package,
            ignore=lambda folder, names: [
                name
                for name in names
                if not name.endswith(".py")
                and not ((Path(folder) / name).is_dir() and name != "__pycache__")
            ],
        )
    shutil.copy(ROOT / "pyproject.toml", target)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Names of the broken contracts: of the copy, of each planted import, of the copy again."""
    copy = tmp_path_factory.mktemp("rooms")
    copy_code(copy)
    lint = subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=copy,
        env={"PYTHONPATH": str(copy), "PATH": ""},
        input=json.dumps([(file, text) for file, text, _ in PLANTS]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert lint.returncode == 0, lint.stderr
    return json.loads(lint.stdout.splitlines()[-1])


def test_the_tree_keeps_the_law(answers: Any) -> None:
    assert answers[0] == answers[-1] == []


@pytest.mark.parametrize("number", range(len(PLANTS)), ids=lambda n: f"{PLANTS[n][0]}-{n}")
def test_a_forbidden_import_is_refused(answers: Any, number: int) -> None:
    file, text, contract = PLANTS[number]
    assert contract in answers[number + 1], f"{text} in {file} is allowed"


def test_every_contract_refuses_something() -> None:
    assert {contract["name"] for contract in LINTER["contracts"]} == {
        contract for _, _, contract in PLANTS
    }


def test_every_package_is_under_the_law() -> None:
    """A new package at the top, too: it has a layer, or the linter does not look at it."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    packages |= {path.parent.name for path in (ROOT / "benchmarks").glob("*.py")}
    layers = next(one["layers"] for one in LINTER["contracts"] if one["name"] == STANDS_ON)
    named = {name for layer in layers for name in layer.replace("|", ":").split(" : ")}
    assert packages == set(PACKAGES) == {name.strip() for name in named}


def test_at_most_fifteen_rooms_at_the_top() -> None:
    rooms = [path for path in ROOT.iterdir() if any(path.glob("*.py")) and path.name[0] != "."]
    inside = {path.parent.name for path in (ROOT / "pipelines").glob("*/__init__.py")}
    assert len(rooms) <= 15
    assert len(inside) <= 15


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def test_no_module_imports_itself_by_a_circle(graph: grimp.ImportGraph) -> None:
    """Imports inside functions and those for types alone count, too."""
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


def test_no_circle_of_packages_inside_a_package(graph: grimp.ImportGraph) -> None:
    packages = [name for name in graph.modules if graph.find_children(name)]
    circles = {name: graph.nominate_cycle_breakers(name) for name in packages}
    assert {name: found for name, found in circles.items() if found} == {}
