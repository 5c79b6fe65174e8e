"""Every part of `dlr up` killed many times, or its disk full for minutes, against the promise."""

import random
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.service.live_up import Up, running_up
from tests.torture.disks import fill_up, small_disk, why_no_disks
from tests.torture.service import VICTIMS, Trial, memory_kb

RECEIVER_S = 2.0
BACK_S = 15.0
PUBLISHED_S = 90.0
HEALED_S = 60.0
HANG_S = 400.0
"""A part without ticks or heartbeats is given three minutes."""


def kill_parts(folder: Path, number: int, *, hangs: bool, seed: int) -> bool:
    """Kill each part and the run in progress so many times; tell whether all was as promised."""
    chance = random.Random(seed)
    victims = [*VICTIMS] * number
    chance.shuffle(victims)
    with running_up(folder / "data") as up:
        up.until_it_says("Ctrl-C")
        with Trial(up).running() as trial:
            time.sleep(20)
            for n, victim in enumerate(victims, 1):
                time.sleep(chance.uniform(2, 20))
                trial.kill(victim)
                _say(f"{n:>4} of {len(victims)}: {victim}, back {trial.backs[victim][-1]:.1f} s")
            trial.all_published(2 * PUBLISHED_S)
            good = _report(trial)
            _say_memory(up)
            if hangs:
                for part in ("receiver", "ui", "daemon", "code_server"):
                    trial.kill(part, signal.SIGSTOP, within_s=HANG_S)
                    _say(f"stopped {part}, back {trial.backs[part][-1]:.1f} s")
                trial.all_published(2 * PUBLISHED_S)
        good &= up.stop() == 0
    return good


def fill_the_disk(folder: Path, seconds: int) -> bool:
    """Fill the disk for so long; tell whether all was refused meanwhile and well again after."""
    if reason := why_no_disks():
        _say(f"no full disk: {reason}")
        return False
    with small_disk(folder / "disk", 512 * 1024**2), running_up(folder / "disk" / "data") as up:
        up.until_it_says("Ctrl-C")
        with Trial(up).running() as trial:
            time.sleep(10)
            trial.all_published(PUBLISHED_S)
            filler = folder / "disk" / "filler"
            fill_up(filler)
            time.sleep(1)
            trial.answers.clear()
            time.sleep(seconds)
            answers = list(trial.answers)
            filler.unlink()
            made = time.monotonic()
            up.until(lambda: trial.answers[-1] == 200, HEALED_S, "a push that lands")
            landed_s = time.monotonic() - made
            trial.all_published(PUBLISHED_S)
            published_s = time.monotonic() - made
            trial.sort_gaps(None)
        _say(f"refused for {seconds} s: {len(answers):,} pushes, answers {sorted(set(answers))}")
        _say(f"unreachable            {len(trial.other_gaps):>8} times")
        _say(f"landed again after     {landed_s:>8.1f} s")
        _say(f"published again after  {published_s:>8.1f} s")
        is_healed = landed_s < HEALED_S and published_s < HEALED_S
        return set(answers) == {503} and is_healed and not trial.other_gaps and up.stop() == 0


def _report(trial: Trial) -> bool:
    backs = {part: times for part, times in trial.backs.items() if part != "run"}
    _say("                           n      median    p95      max")
    _line("receiver gone, killed", trial.receiver_gaps)
    _line("receiver gone, else", trial.other_gaps)
    for part, times in backs.items():
        _line(f"{part} back", times)
    once = [seconds for seconds, kills in trial.latencies if kills <= 1]
    _line("published, one kill", once)
    for kills in range(2, 1 + max(kills for _, kills in trial.latencies)):
        _line(f"published, {kills} kills", [s for s, n in trial.latencies if n == kills])
    return (
        not trial.other_gaps
        and not trial.refused
        and max(trial.receiver_gaps, default=0) <= RECEIVER_S
        and max(max(times) for times in backs.values()) <= BACK_S
        and max(once) <= PUBLISHED_S
    )


def _line(what: str, seconds: Sequence[float]) -> None:
    if len(seconds) < 2:
        _say(f"{what:<24}{len(seconds):>6}   {', '.join(f'{each:.2f}' for each in seconds)}")
        return
    p95 = statistics.quantiles(seconds, n=20)[-1]
    _say(
        f"{what:<24}{len(seconds):>6}{statistics.median(seconds):>9.2f} s{p95:>7.2f} s"
        f"{max(seconds):>7.2f} s"
    )


def _say_memory(up: Up) -> None:
    parts = {part: kb / 1000 for part, kb in memory_kb(up).items()}
    _say(f"PSS, MB: {', '.join(f'{part} {mb:.0f}' for part, mb in parts.items())}")
    _say(f"     all {sum(parts.values()):.0f}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
