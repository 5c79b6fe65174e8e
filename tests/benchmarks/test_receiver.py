"""The receiver's benchmark: what it reads, counts and divides, without wrk, node or a server."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from benchmarks.receiver.bodies import BODIES, make_bodies
from benchmarks.receiver.disk import write_files
from benchmarks.receiver.load import Load, LoadError, parse_output
from benchmarks.receiver.processes import Usage
from benchmarks.receiver.run import LostPushError, expect_landed
from benchmarks.receiver.sample import Cell, Sample, figures, pushes_per_s, ratio
from benchmarks.receiver.soak import Soak
from benchmarks.receiver.targets import HEADLINE, judge

OUTPUT = """Running 2s test @ http://127.0.0.1:18099/yunpian/status/tok
  1 threads and 64 connections
  13613 requests in 2.01s, 2.54MB read
{"answers": 13613, "seconds": 2.010841, "p50_us": 9168.0, "p99_us": 15856.0, \
"errors": {"connect": 0, "status": 13, "timeout": 2}}
"""


def sample(system: str, number: int, pushes: int, cell: Cell = HEADLINE, **errors: int) -> Sample:
    load = Load(pushes=pushes, seconds=2.0, p50_us=1000.0, p99_us=9000.0, errors=errors)
    return Sample(system, cell, number, load, Usage(0.5, 1, 2))


def test_answers_that_are_errors_are_no_acknowledged_pushes() -> None:
    load = parse_output(OUTPUT)
    assert load.pushes == 13600
    assert load.errors == {"status": 13, "timeout": 2}
    assert load.pushes_per_s == pytest.approx(6763.3, abs=0.1)


def test_a_generator_that_failed_is_no_result() -> None:
    with pytest.raises(LoadError, match="unable to connect"):
        parse_output("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_a_ratio_is_the_median_over_rounds_not_the_ratio_of_medians() -> None:
    samples = [sample("dlr", 1, 100), sample("dlr", 2, 300), sample("dlr", 3, 900)]
    samples += [sample("flask", 1, 10), sample("flask", 2, 100), sample("flask", 3, 100)]
    found = ratio(samples, ("dlr", HEADLINE), ("flask", HEADLINE), pushes_per_s)
    assert found == 9


def test_no_ratio_without_both_sides() -> None:
    assert ratio([sample("dlr", 1, 1)], ("dlr", HEADLINE), ("x", HEADLINE), pushes_per_s) is None


def test_figures_are_medians_and_errors_are_summed() -> None:
    samples = [sample("dlr", 1, 100, read=1), sample("dlr", 2, 300), sample("dlr", 3, 200, read=2)]
    (found,) = figures(samples)
    assert (found.rounds, found.pushes_per_s, found.records_per_s) == (3, 100, 10_000)
    assert found.cpu_us_per_push == 2500
    assert found.errors == {"read": 3}


def test_targets_say_what_is_met_and_what_is_not() -> None:
    samples = [sample("dlr", 1, 100), sample("unstored", 1, 200), sample("file-per-push", 1, 50)]
    assert [(target.measured, target.met) for target in judge(samples)] == [
        (0.5, True),
        (2.0, False),
    ]


def test_a_soak_that_grows_misses_its_target() -> None:
    load = Load(pushes=1, seconds=60, p50_us=1000, p99_us=9000, errors={})
    flat = Soak(load, 1.0, [(float(second), 50_000_000) for second in range(60)])
    growing = Soak(
        load, 1.0, [(float(second), 50_000_000 + second * 10**5) for second in range(60)]
    )
    assert [target.met for target in flat.targets()] == [True, True, True]
    assert [target.met for target in growing.targets()] == [True, True, False]


def test_too_few_landed_pushes_are_reported(tmp_path: Path) -> None:
    day = tmp_path / "data" / "landing" / "yunpian" / "2026-11-24"
    day.mkdir(parents=True)
    (day / "a.jsonl").write_bytes(b"{}\n{}\n")
    expect_landed(tmp_path, 2)
    with pytest.raises(LostPushError, match="3 pushes were acknowledged and 2 have landed"):
        expect_landed(tmp_path, 3)


def test_bodies_are_many_different_ones_of_the_asked_size() -> None:
    bodies = make_bodies(10)
    assert len(set(bodies)) == BODIES
    records = [json.loads(parse_qs(body.decode())["sms_status"][0]) for body in bodies]
    assert {len(each) for each in records} == {10}


@pytest.mark.parametrize("publish", [False, True])
def test_bare_writes_leave_a_file_a_push(tmp_path: Path, publish: bool) -> None:
    load = write_files(tmp_path, [b"one", b"two"], 0.05, publish=publish)
    files = list((tmp_path / ("final" if publish else "partials")).iterdir())
    assert len(files) == load.pushes > 0
    assert {file.read_bytes() for file in files} <= {b"one", b"two"}
