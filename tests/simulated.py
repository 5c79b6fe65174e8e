"""Simulated traffic as it would lie in a landing folder, with its truth; no HTTP.

Each push is received when the provider has it, so that report lags are realistic. The clock of
the receiver is a minute and a half slow at one push in forty: negative lags are normal.
"""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from contract.envelope import Envelope
from contract.settings import Settings
from pipelines.sends.files import bring_in
from simulator.options import SimulationOptions
from simulator.simulate import Push, iter_pushes
from tests.data_folder import land, push
from tests.truth.figures import Figures, figures
from tests.truth.messages import (
    Report,
    Send,
    first_receptions,
    naive,
    read_reports,
    read_sends,
    second_thoughts,
)

SLOW_CLOCK = timedelta(seconds=90)
_SLOW_ONE_IN = 40
_PUSHES_A_FILE = 500


@dataclass(frozen=True)
class Traffic:
    """Pushes, and what really happened."""

    envelopes: Sequence[Envelope]
    pushes: Sequence[Push]
    """The same pushes as the provider has them: what they are and hold."""
    truth: Path
    log: Path
    first: dict[int, datetime]
    """When each report was first received."""

    @cached_property
    def reports(self) -> list[Report]:
        """The messages with a report."""
        return list(read_reports(self.truth, self.first))

    @cached_property
    def sends(self) -> list[Send]:
        """The whole send log."""
        return read_sends(self.log)

    @property
    def as_of(self) -> datetime:
        """The latest reception."""
        return naive(max(envelope.received_at for envelope in self.envelopes))

    @cached_property
    def second_thoughts(self) -> list[tuple[datetime | None, datetime]]:
        """Times of the failure and of the success that followed, as reported."""
        return second_thoughts(self.truth)

    def figures(self, sends: Sequence[Send] = ()) -> Figures:
        """What must stand in the marts, with this send log."""
        return figures(self.reports, sends, self.as_of)


def simulated(folder: Path, **options: object) -> Traffic:
    """Make traffic; ``options`` are those of the simulator."""
    folder.mkdir(parents=True, exist_ok=True)
    truth, log = folder / "truth.jsonl", folder / "sends.csv"
    defaults: dict[str, object] = {"batch_wait_s": 20.0, "truth": truth, "sends": log}
    plan = replace(SimulationOptions(), **(defaults | options))  # type: ignore[arg-type]
    envelopes, pushes, receptions = [], [], []
    for n, one in enumerate(iter_pushes(plan)):
        at = one.at - SLOW_CLOCK if n % _SLOW_ONE_IN == 0 else one.at
        envelopes.append(push(one.body, n, received_at=at))
        pushes.append(one._replace(body=b""))
        receptions.append((naive(at), one.reports))
    return Traffic(envelopes, pushes, truth, log, first_receptions(receptions))


def land_in_files(settings: Settings, envelopes: Sequence[Envelope], name: str = "") -> None:
    """Put pushes into files of a few hundred each, in the order given."""
    for start in range(0, len(envelopes), _PUSHES_A_FILE):
        land(settings, envelopes[start : start + _PUSHES_A_FILE], f"{name}{start:06d}")


def random_split(envelopes: Sequence[Envelope], parts: int, seed: int) -> list[list[Envelope]]:
    """The same pushes in any order, in so many heaps."""
    shuffled = list(envelopes)
    random.Random(seed).shuffle(shuffled)
    return [shuffled[n::parts] for n in range(parts)]


def as_people_keep_it(sends: Sequence[Send], seed: int) -> list[Send]:
    """The log with lines that are missing, have no sid, come again later or twice the same."""
    chance = random.Random(seed)
    lines: list[Send] = []
    for send in sends:
        later = send.sent_at + timedelta(seconds=chance.randrange(1, 600))
        nameless = send._replace(sid=None) if send.uid else send
        kinds = {
            0.03: [],
            0.08: [nameless],
            0.10: [send, send._replace(sent_at=later, tag="again")],
            0.11: [send, send],
            0.115: [send, nameless],
            0.12: [nameless, nameless._replace(sent_at=later)],
            1.0: [send],
        }
        draw = chance.random()
        lines += next(kind for below, kind in kinds.items() if draw < below)
    chance.shuffle(lines)
    return lines


def bring_in_sends(settings: Settings, sends: Sequence[Send], folder: Path) -> None:
    """Import a log the way `dlr sends import` does."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(sends)}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Send._fields)
        for send in sends:
            writer.writerow(send._replace(sent_at=f"{send.sent_at.isoformat()}Z"))  # type: ignore[arg-type]
    assert bring_in(settings, path)
