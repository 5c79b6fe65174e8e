"""One list of names: runbook, rules for Prometheus, metrics and dashboard agree with it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.problems import KINDS, UP_FILE, Problem, service_folder, write_json, write_problems
from tests.command import ROOT
from tests.ingest.asking import metric
from tests.live import Live, ask, push, running_receiver

OPERATIONS = ROOT / "docs" / "operations"
RULES = OPERATIONS / "prometheus-rules.yml"
RUNBOOK = (OPERATIONS / "alerts.md").read_text(encoding="utf-8")
FIRST_WORDS = ("**Meaning.** ", "**Check.** ", "**Cure.** ")
CRITICAL = {name for name, kind in KINDS.items() if kind.critical}


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def sections() -> dict[str, str]:
    """Text below each heading of the runbook that is a name."""
    parts = re.split(r"^### ([a-z_]+)$", RUNBOOK, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_runbook_says_of_each_name_what_to_do() -> None:
    assert set(sections()) == set(KINDS)
    for name, text in sections().items():
        found = [re.findall(f"^{re.escape(words)}.+", text, re.MULTILINE) for words in FIRST_WORDS]
        assert [len(lines) for lines in found] == [1, 1, 1], name
    before, _, after = RUNBOOK.partition("## Warning")
    for name, kind in KINDS.items():
        assert (f"### {name}\n" in before) == kind.critical, name
        assert (f"### {name}\n" in after) != kind.critical, name


def test_the_rules_know_every_name() -> None:
    matchers = {
        rule["alert"]: re.search(r'name(=~|!~)"([a-z_|]+)"', rule["expr"]) for rule in rules()
    }
    critical, others = matchers["DlrProblemCritical"], matchers["DlrProblem"]
    assert critical
    assert others
    assert (critical[1], others[1]) == ("=~", "!~")
    assert set(critical[2].split("|")) == set(others[2].split("|")) == CRITICAL


def test_every_runbook_link_of_the_rules_leads_somewhere() -> None:
    for rule in rules():
        page, _, name = rule["annotations"]["runbook"].partition("#")
        assert (ROOT / page).exists()
        assert name == "{{ $labels.name }}" or name in sections()


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (Debian: prometheus)")
def test_prometheus_takes_the_rules_and_they_fire(tmp_path: Path) -> None:
    cases = (ROOT / "tests/service/prometheus-rules-test.yml").read_text(encoding="utf-8")
    file = tmp_path / "cases.yml"
    file.write_text(cases.replace("[RULES]", f"['{RULES}']"), encoding="utf-8")
    for words in (["check", "rules", str(RULES)], ["test", "rules", str(file)]):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    tested = set(re.findall(r"alertname: (\w+)", cases))
    assert tested == {rule["alert"] for rule in rules()}


@pytest.fixture(scope="module", params=[1, 2], ids=["one receiver", "two workers"])
def live(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Path]]:
    data = tmp_path_factory.mktemp("names") / "data"
    with running_receiver(data, workers=request.param) as live:
        assert push(live, b"sms_status=1").status == 200
        yield live, service_folder(data)


def page(live: Live) -> str:
    return ask(live.base_url, "GET", "/metrics").body.decode()


def test_metrics_show_every_name(live: tuple[Live, Path]) -> None:
    receiver, folder = live
    folder.mkdir(exist_ok=True)
    for garbage in (b"", b"{", b"[]", b'{"at": 5}', b'{"at": "x", "problems": []}', b"\xff"):
        (folder / "problems.json").write_bytes(garbage)
        assert "\ndlr_problem{" not in page(receiver)
        assert "\ndlr_problems_age_seconds " not in page(receiver)
    write_json(folder / UP_FILE, {"pid": 1})
    unknown = Problem("of_a_later_version", "It is so.")
    at = datetime.now(UTC) - timedelta(seconds=100)
    write_problems(folder, at, [Problem("disk_bytes", "It is full."), unknown])
    for _ in range(4):  # whichever worker answers
        shown = dict(
            re.findall(r'^dlr_problem\{name="(\w+)"\} (\S+)$', page(receiver), re.MULTILINE)
        )
        assert shown == {name: "1.0" if name == "disk_bytes" else "0.0" for name in KINDS}
        assert 100 <= metric(receiver, "dlr_problems_age_seconds") < 130


def test_metrics_show_no_parts_that_are_not_meant_to_run(live: tuple[Live, Path]) -> None:
    receiver, folder = live
    problems = [Problem("ui_down", "It is down."), Problem("runs_failing", "They fail.")]
    write_problems(folder, datetime.now(UTC), problems)
    for expected in (True, False):
        (folder / UP_FILE).write_text("{}") if expected else (folder / UP_FILE).unlink()
        assert metric(receiver, 'dlr_problem{name="ui_down"}') == expected
        assert metric(receiver, 'dlr_problem{name="runs_failing"}') == 1


def test_dashboard_and_rules_use_metrics_that_exist(live: tuple[Live, Path]) -> None:
    receiver, folder = live
    write_problems(folder, datetime.now(UTC), [])
    there = set(re.findall(r"^([a-z_]+)[ {]", page(receiver), re.MULTILINE))
    dashboard = json.loads((OPERATIONS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    expressions = [target["expr"] for one in dashboard["panels"] for target in one["targets"]]
    expressions += [rule["expr"] for rule in rules()]
    expressions += [one["query"]["query"] for one in dashboard["templating"]["list"]]
    used = {name for text in expressions for name in re.findall(r"\bdlr_\w+", text)}
    assert len(used) >= 14
    assert used <= there
    assert len(dashboard["panels"]) == len({one["id"] for one in dashboard["panels"]}) >= 15


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (Debian: prometheus)")
def test_every_expression_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    dashboard = json.loads((OPERATIONS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    expressions = [target["expr"] for one in dashboard["panels"] for target in one["targets"]]
    group = {
        "name": "dashboard",
        "rules": [
            {"record": f"panel_{n}", "expr": text.replace("$instance", ".*")}
            for n, text in enumerate(expressions)
        ],
    }
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [group]}), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
