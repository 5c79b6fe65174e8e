"""The receiver's own stack with another landing: ``python -m benchmarks.receiver.stack NAME``.

The process is ``ingest.server`` itself, its settings, uvicorn subclass, protocol and application;
only the landing class is replaced. What stays: parsing HTTP, token and network, framing, reading
the body against its bound, finding the parameter, the request's metrics, the answer.
"""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import ingest.server
from contract.envelope import Envelope
from ingest.folder import LandingFolder
from ingest.landing import Landing

WRITERS = 16
"""Threads of ``FilePerPush``: 4 to 32 gave the same throughput within the noise, 64 less."""


class Unstored(Landing):
    """Acknowledges at once.

    Left out: the push's id from the clock, the envelope and its digest, the queue and the thread
    behind it, the line, the file with its syncs, waking up who waits, the metrics of groups.
    """

    def submit(
        self,
        body: bytes,  # noqa: ARG002
        remote_addr: str,  # noqa: ARG002
        content_type: str,  # noqa: ARG002
    ) -> tuple[str, asyncio.Future[None]]:
        """Return a push that is done."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return "00000000000000-0000000000000000", done


class FilePerPush(Landing):
    """Writes each push to a file of its own, with the same promise: no group commit.

    Write, sync, rename, sync of the folder, on a pool of threads, by the receiver's own folder.
    """

    def __init__(
        self, folder: LandingFolder, *, in_flight_limit_bytes: int, linger_s: float
    ) -> None:
        super().__init__(folder, in_flight_limit_bytes=in_flight_limit_bytes, linger_s=linger_s)
        self._pool = ThreadPoolExecutor(WRITERS)
        self._last_push_us = 0

    def submit(
        self, body: bytes, remote_addr: str, content_type: str
    ) -> tuple[str, asyncio.Future[None]]:
        """Hand a push to a thread; return its id and what is done once it is durable."""
        self._last_push_us = max(time.time_ns() // 1000, self._last_push_us + 1)
        moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self._last_push_us)
        push_id = f"{self._last_push_us:014x}-{self.folder.process}"
        envelope = Envelope(push_id, moment, remote_addr, content_type, body)
        loop = asyncio.get_running_loop()
        return push_id, loop.run_in_executor(self._pool, self._land, moment, envelope)

    def _land(self, moment: datetime, envelope: Envelope) -> None:
        self.folder.write(moment, [envelope.to_line()])


_LANDINGS: dict[str, type[Landing]] = {"unstored": Unstored, "file-per-push": FilePerPush}


def main() -> int:
    """Serve with the landing that is named, and the settings of the environment."""
    vars(ingest.server)["Landing"] = _LANDINGS[sys.argv[1]]
    return ingest.server.main()


if __name__ == "__main__":
    sys.exit(main())
