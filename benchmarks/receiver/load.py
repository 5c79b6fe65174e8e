"""The load generator: wrk, a closed loop of connections that post as fast as answers come.

wrk corrects percentiles for answers it had to wait for ("coordinated omission"): an answer that
takes much longer than the mean counts for the pushes that would have come meanwhile.
"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("push.lua")
_ANSWER_TIMEOUT_S = 10
"""An answer that takes longer is an error: the provider waits no longer either."""


class LoadError(Exception):
    """The load generator did not do its work; the message says what it said."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a number of connections got from a server, or a writer from a disk."""

    pushes: int
    """Acknowledged: answered with a status below 400."""
    seconds: float
    p50_us: float
    p99_us: float
    errors: dict[str, int]
    """By kind, only kinds that occurred: connect, read, write, status, timeout."""

    @property
    def pushes_per_s(self) -> float:
        """Acknowledged pushes a second."""
        return self.pushes / self.seconds


def put_load(
    url: str,
    bodies: Path,
    connections: int,
    seconds: int,
    each_second: Callable[[], None] = lambda: None,
) -> Load:
    """Post ``bodies`` at ``url`` in rotation for ``seconds``; raises LoadError."""
    limits = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    process = subprocess.Popen(  # noqa: S603  our own command
        ["wrk", *limits, "--timeout", f"{_ANSWER_TIMEOUT_S}s", "--script", _SCRIPT, url, bodies],  # noqa: S607  found in PATH
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            output = _wait(process, each_second)
        finally:
            process.kill()
    return parse_output(output)


def parse_output(output: str) -> Load:
    """Read what wrk and its script printed; raises LoadError."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if len(lines) != 1:
        raise LoadError(f"wrk failed: {output.strip()}")
    result = json.loads(lines[0])
    errors = {kind: count for kind, count in result["errors"].items() if count}
    return Load(
        pushes=result["answers"] - errors.get("status", 0),
        seconds=result["seconds"],
        p50_us=result["p50_us"],
        p99_us=result["p99_us"],
        errors=errors,
    )


def _wait(process: "subprocess.Popen[str]", each_second: Callable[[], None]) -> str:
    while True:
        try:
            return process.communicate(timeout=1)[0]
        except subprocess.TimeoutExpired:
            each_second()
