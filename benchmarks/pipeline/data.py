"""Landed files to measure with, made by the simulator or, for long histories, by a template.

Both write what a receiver would have written: envelopes with their digests, some dozens of pushes
to a file, in day folders. Bodies hold one parameter, encoded once: every peer can read them. On
request the send log lies beside them, complete, as CSV with a tag.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from urllib.parse import quote_plus

from contract.envelope import Envelope
from simulator.encodings import Encoding
from simulator.simulate import SimulationOptions, iter_pushes

RECORDS_PER_PUSH = 100
PUSHES_PER_FILE = 50
FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
_RECORDS_PER_MESSAGE = 1.02
"""Of the simulator's default mix: replays and conflicts less the unreported."""
_VALUE = re.compile(rb"(?:^|&)(sms_status=[^&]*)")
_TEMPLATE = quote_plus(
    '{"error_detail":"接收成功","sid":@SID,"uid":"order-@SID","user_receive_time":"@TIME",'
    '"error_msg":"DELIVRD","mobile":"1340000@LINE","report_status":"SUCCESS"}'
).replace("%40", "@")
_TO_HANDSET = timedelta(seconds=2)
_NUMBERS = count(1)


def simulated(records: int, sends: Path | None = None, seed: int = 7) -> Iterator[Envelope]:
    """Yield pushes of about ``records`` records, a million a day; the log goes to ``sends``."""
    options = SimulationOptions(
        messages=round(records / _RECORDS_PER_MESSAGE),
        seed=seed,
        start=FIRST_DAY,
        days=max(1.0, records / 1e6),
        encodings={Encoding.ONCE: 1.0},
        damaged=0,
        sends=sends,
    )
    for push in iter_pushes(options):
        found = _VALUE.search(push.body)
        if found:
            yield _envelope(datetime.fromtimestamp(push.at_ms / 1000, UTC), found[1])


@dataclass(frozen=True, slots=True)
class Stretch:
    """Delivered messages with ascending sids, even over a stretch of time."""

    records: int
    first_sid: int
    begin: datetime
    """First handset time."""
    end: datetime
    """Just after the last handset time."""
    lag: timedelta = timedelta(seconds=3)
    """From the last handset time of a push to its reception."""

    def pushes(self) -> Iterator[Envelope]:
        """Yield the pushes in order."""
        end = self.first_sid + self.records
        for start in range(self.first_sid, end, RECORDS_PER_PUSH):
            sids = range(start, min(start + RECORDS_PER_PUSH, end))
            at = self._handset_time(sids[-1])
            shown = quote_plus(f"{at + timedelta(hours=8):%Y-%m-%d %H:%M:%S}")
            body = "%2C".join(
                _TEMPLATE.replace("@SID", str(sid))
                .replace("@TIME", shown)
                .replace("@LINE", f"{sid % 10_000:04}")
                for sid in sids
            )
            yield _envelope(at + self.lag, f"sms_status=%5B{body}%5D".encode())

    def log_sends(self, sends: Path) -> None:
        """Write the send log: each message was sent two seconds before it arrived."""
        with sends.open("w", encoding="utf-8") as file:
            file.write("sid,uid,sent_at,tag,mobile\n")
            for sid in range(self.first_sid, self.first_sid + self.records):
                sent = self._handset_time(sid) - _TO_HANDSET
                file.write(f"{sid},order-{sid},{sent.isoformat(timespec='milliseconds')},otp,\n")

    def _handset_time(self, sid: int) -> datetime:
        return self.begin + (self.end - self.begin) / self.records * (sid - self.first_sid)


def land_stretch(stretch: Stretch, data: Path, *, with_sends: bool) -> None:
    """Write a stretch as landed files, and its send log if wanted."""
    if with_sends:
        stretch.log_sends(sends_file(data))
    land(stretch.pushes(), data)


def sends_file(data: Path) -> Path:
    """A new file in the folder of the send log."""
    folder = data / "sends"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{next(_NUMBERS):016x}.csv"


def land(pushes: Iterable[Envelope], data: Path, per_file: int = PUSHES_PER_FILE) -> int:
    """Write pushes as landed files of the data folder, some to a file; return how many."""
    written = 0
    remaining = iter(pushes)
    while group := list(islice(remaining, per_file)):
        moment = group[-1].received_at
        day = data / "landing" / "yunpian" / f"{moment:%Y-%m-%d}"
        day.mkdir(parents=True, exist_ok=True)
        name = f"{moment:%Y%m%dT%H%M%S.%fZ}-{next(_NUMBERS):016x}.jsonl"
        (day / name).write_bytes(b"".join(push.to_line() for push in group))
        written += len(group)
    return written


def _envelope(at: datetime, body: bytes) -> Envelope:
    """A push as received at ``at``; its id sorts by time."""
    push_id = f"{int(at.timestamp() * 1e6):014x}-{next(_NUMBERS):016x}"
    return Envelope(push_id, at, "192.0.2.7", "application/x-www-form-urlencoded", body)
