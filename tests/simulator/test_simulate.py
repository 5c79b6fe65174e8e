"""The provider against a real server on a real port."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest

from simulator.encodings import CONTENT_TYPE, Encoding
from simulator.options import SimulationError, SimulationOptions
from simulator.simulate import iter_bodies, iter_pushes, simulate
from simulator.tally import Tally
from tests.simulator.conftest import Answer, ScriptedReceiver

Start = Callable[[Callable[[int], Answer]], ScriptedReceiver]

FAST = 30_000.0  # five minutes in ten milliseconds
ACCEPT: Answer = (200, b"SUCCESS")


def options(url: str, **changes: object) -> SimulationOptions:
    chosen: dict[str, object] = {"messages": 1000, "speed": FAST, "duplicates": 0.0} | changes
    return SimulationOptions(url=url, **chosen)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [b"SUCCESS", b"0"])
def test_every_body_arrives_once_when_accepted(receiver: Start, answer: bytes) -> None:
    server = receiver(lambda _: (200, answer))
    report = simulate(options(server.url, bad=0.01, damaged=0.5))
    assert Counter(server.bodies) == Counter(
        iter_bodies(options(server.url, bad=0.01, damaged=0.5))
    )
    assert set(server.content_types) == {CONTENT_TYPE}
    assert report.pushes == report.accepted == len(server.bodies)
    assert (report.repushes, report.given_up, report.refusals) == (0, 0, {})
    assert report.messages == 1000
    assert report.records == (
        report.distinct_sids + report.duplicates + report.conflicts + report.rejected
    )
    assert report.accepted > 10
    assert 0 < (report.latency_s(0.50) or 0) <= (report.latency_s(0.99) or 0)


def test_with_one_connection_bodies_arrive_in_their_order(receiver: Start) -> None:
    server = receiver(lambda _: ACCEPT)
    simulate(options(server.url, concurrency=1))
    assert server.bodies == list(iter_bodies(options(server.url)))


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        ((503, b"SUCCESS"), "status 503"),
        ((200, b"SUCCESS\n"), "other body"),
        ((200, b"success"), "other body"),
        ((200, b""), "other body"),
        ((302, b""), "status 302"),
    ],
)
def test_a_refused_push_comes_again_unchanged(receiver: Start, refusal: Answer, cause: str) -> None:
    server = receiver(lambda number: refusal if number < 2 else ACCEPT)
    report = simulate(options(server.url, messages=100))
    assert len(server.bodies) == 3
    assert len(set(server.bodies)) == 1
    assert (report.pushes, report.accepted, report.repushes) == (1, 1, 2)
    assert report.refusals == {cause: 2}


def test_after_three_repushes_it_is_lost(receiver: Start) -> None:
    server = receiver(lambda _: (503, b""))
    report = simulate(options(server.url))
    tries = Counter(server.bodies)
    assert set(tries.values()) == {4}
    assert report.given_up == report.pushes == len(tries)
    assert (report.accepted, report.records, report.distinct_sids) == (0, 0, 0)


def test_what_is_lost_is_not_counted(receiver: Start) -> None:
    server = receiver(lambda _: (503, b"") if server.bodies[-1] == server.bodies[0] else ACCEPT)
    report = simulate(options(server.url, concurrency=1))
    kept = Tally(1000)
    for push in islice(iter_pushes(options("")), 1, None):
        kept.add(push)
    assert (report.accepted, report.given_up) == (kept.accepted, 1)
    assert report.records == kept.records
    assert report.distinct_sids == kept.distinct_sids > 800


def test_the_delay_of_a_repush_is_divided_by_the_speed(receiver: Start) -> None:
    times: list[float] = []

    def answer(number: int) -> Answer:
        times.append(time.monotonic())
        return ACCEPT if number else (503, b"")

    server = receiver(answer)
    simulate(options(server.url, messages=10, speed=1000.0))
    assert 0.28 < times[1] - times[0] < 2.0


def test_nobody_listening_is_a_refusal() -> None:
    report = simulate(options("http://127.0.0.1:9/"))
    assert report.accepted == 0
    assert set(report.refusals) == {"ConnectError"}
    assert report.latency_s(0.50) is None


def test_a_slow_answer_is_a_refusal(receiver: Start) -> None:
    def answer(number: int) -> Answer:
        time.sleep(0 if number else 0.4)
        return ACCEPT

    server = receiver(answer)
    report = simulate(options(server.url, messages=10, timeout_s=0.1, speed=1000.0))
    assert report.refusals == {"ReadTimeout": 1}
    assert report.accepted == 1


def test_the_rate_bounds_new_pushes(receiver: Start) -> None:
    server = receiver(lambda _: ACCEPT)
    report = simulate(options(server.url, rate=40.0))
    assert report.elapsed_s >= (report.accepted - 1) / 40 > 0.2


def test_on_schedule_pushes_wait_for_their_instant(receiver: Start) -> None:
    server = receiver(lambda _: ACCEPT)
    report = simulate(options(server.url, days=0.5, speed=86_400.0, on_schedule=True))
    assert report.elapsed_s > 0.4  # half a day at a day a second


def test_progress_is_told_and_ends_complete(receiver: Start) -> None:
    server = receiver(lambda _: ACCEPT)
    news: list[tuple[int, int, int]] = []
    report = simulate(
        options(server.url, rate=30.0),
        lambda tally: news.append((tally.messages, tally.accepted, tally.total)),
    )
    assert len(news) >= report.accepted >= 2
    assert news == sorted(news)
    assert news[-1] == (1000, report.accepted, 1000)


def test_truth_that_cannot_be_written_is_an_os_error(receiver: Start, tmp_path: Path) -> None:
    server = receiver(lambda _: ACCEPT)
    with pytest.raises(FileNotFoundError):
        simulate(options(server.url, truth=tmp_path / "no" / "truth.jsonl"))


def test_ctrl_c_ends_with_a_report(receiver: Start, tmp_path: Path) -> None:
    server = receiver(lambda _: (503, b"") if len(server.bodies) % 2 else ACCEPT)
    program = (
        "import sys; from simulator.simulate import *; from pathlib import Path\n"
        "o = SimulationOptions(url=sys.argv[1], rate=50.0, truth=Path(sys.argv[2]))\n"
        "r = simulate(o, lambda t: print(t.accepted, flush=True))\n"
        "print('end', r.interrupted, r.pushes == r.accepted + r.abandoned, r.abandoned > 0)"
    )
    truth = tmp_path / "truth.jsonl"
    command = [sys.executable, "-c", program, server.url, str(truth)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as child:
        assert child.stdout is not None
        for _ in range(2):
            child.stdout.readline()
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read()
    assert rest.splitlines()[-1] == "end True True True"
    assert child.returncode == 0
    assert truth.read_bytes().endswith(b"}\n")


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8080", "ftp://127.0.0.1/b", "http://", "http://127.0.0.1:99999/"]
)
def test_a_wrong_url_is_said_before_anything_is_sent(url: str) -> None:
    with pytest.raises(SimulationError, match="url must start with"):
        simulate(SimulationOptions(url=url))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"duplicates": 1.5}, "duplicates must be a share"),
        ({"bad": -0.1}, "bad must be a share"),
        ({"unreported": 0.6, "conflicts": 0.6}, "together"),
        ({"messages": -1}, "messages must not be negative"),
        ({"days": 0}, "days must be more than 0"),
        ({"speed": 0}, "speed must be more than 0"),
        ({"rate": 0}, "rate must be more than 0"),
        ({"concurrency": 0}, "concurrency must be more than 0"),
        ({"batch_size": 0}, "batch_size must be more than 0"),
        ({"batch_wait_s": -1.0}, "batch_wait_s must not be negative"),
        ({"start": datetime(2026, 1, 5)}, "start must have a UTC offset"),
        ({"zone": "China"}, "zone must be an IANA time zone"),
        ({"encodings": {}}, "encodings must have a weight"),
        (
            {"encodings": {Encoding.ONCE: 2, Encoding.RAW: -1}},
            "must not have weights below 0",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(SimulationError, match=sentence):
        options("http://127.0.0.1:9/", **wrong)
