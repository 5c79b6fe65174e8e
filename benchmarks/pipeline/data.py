"""Landed files to measure with, made by the simulator or, for long histories, by a template.

Both write what a receiver would have written: envelopes with their digests, some dozens of pushes
to a file, in day folders. Bodies hold one parameter, encoded once: every peer can read them.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from urllib.parse import quote_plus

from ingest.envelope import Envelope
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
_NUMBERS = count(1)


def simulated(records: int, seed: int = 7) -> Iterator[Envelope]:
    """Yield the pushes of about ``records`` records, a million a day."""
    options = SimulationOptions(
        messages=round(records / _RECORDS_PER_MESSAGE),
        seed=seed,
        start=FIRST_DAY,
        days=max(1.0, records / 1e6),
        encodings={Encoding.ONCE: 1.0},
        damaged=0,
    )
    for push in iter_pushes(options):
        found = _VALUE.search(push.body)
        if found:
            yield _envelope(datetime.fromtimestamp(push.at_ms / 1000, UTC), found[1])


def uniform(
    records: int, first_sid: int, begin: datetime, end: datetime, lag: timedelta
) -> Iterator[Envelope]:
    """Yield pushes of delivered messages with ascending sids, even over a stretch of time.

    ``begin`` and ``end`` bound the handsets' times; each push comes ``lag`` after its last one.
    """
    step = (end - begin) / max(records, 1)
    for start in range(0, records, RECORDS_PER_PUSH):
        sids = range(first_sid + start, first_sid + min(start + RECORDS_PER_PUSH, records))
        at = begin + step * (start + len(sids) - 1)
        shown = quote_plus(f"{at + timedelta(hours=8):%Y-%m-%d %H:%M:%S}")
        body = "%2C".join(
            _TEMPLATE.replace("@SID", str(sid))
            .replace("@TIME", shown)
            .replace("@LINE", f"{sid % 10_000:04}")
            for sid in sids
        )
        yield _envelope(at + lag, f"sms_status=%5B{body}%5D".encode())


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
