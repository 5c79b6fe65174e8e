"""One run of one system: started on an empty folder, loaded, killed, its landed pushes counted."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.receiver.bodies import make_bodies, write_bodies
from benchmarks.receiver.disk import write_files
from benchmarks.receiver.load import Load, put_load
from benchmarks.receiver.place import run_folder
from benchmarks.receiver.processes import Server, Usage, expect_success, free_port, running
from benchmarks.receiver.sample import Cell, Sample
from benchmarks.receiver.systems import DISK_PUBLISH, System, server_env

_ROOT = Path(__file__).parents[2]
_WARM_UP_S = 1
_SETTLE_LOOK_S = 0.1
_SETTLE_LOOKS = 50
_IDLE_SHARE = 0.2
"""Of a core; the clock of processes ticks in hundredths of a second."""
_CHUNK_BYTES = 1024 * 1024


class LostPushError(Exception):
    """More pushes were acknowledged than landed: what this project exists to rule out."""


@dataclass(slots=True)
class Serving:
    """A server that has answered a first push, and what has been acknowledged since."""

    server: Server
    url: str
    bodies: Path
    acknowledged: int = 1

    def put_load(
        self, connections: int, seconds: int, each_second: Callable[[], None] = lambda: None
    ) -> Load:
        """Post for ``seconds``; raises LoadError."""
        load = put_load(self.url, self.bodies, connections, seconds, each_second)
        self.acknowledged += load.pushes
        return load

    def settle(self) -> None:
        """Wait until the server rests, at most a few seconds.

        A load ends with a push on every connection that nobody waits for any more; a slow
        server would work them off in the seconds that are measured next.
        """
        spent_s = 0.0
        for _ in range(_SETTLE_LOOKS):
            before_s, spent_s = spent_s, self.server.usage().cpu_s
            if spent_s - before_s <= _IDLE_SHARE * _SETTLE_LOOK_S:
                return
            time.sleep(_SETTLE_LOOK_S)


@dataclass(slots=True)
class Bench:
    """Runs systems in one work folder."""

    work: Path
    _bodies: dict[int, list[bytes]] = field(default_factory=dict)

    def run(self, system: System, cell: Cell, number: int, seconds: int) -> Sample:
        """Measure once, in round ``number``; raises LoadError, ServerError, LostPushError."""
        if system.command is None:
            return self._write(system, cell, number, seconds)
        with self.serving(system, cell.records) as serving:
            serving.put_load(cell.connections, _WARM_UP_S)
            serving.settle()
            before = serving.server.usage()
            load = serving.put_load(cell.connections, seconds)
            after = serving.server.usage()
        spent = Usage(after.cpu_s - before.cpu_s, after.rss_bytes, after.peak_bytes)
        return Sample(system.slug, cell, number, load, spent)

    @contextlib.contextmanager
    def serving(self, system: System, records: int) -> Iterator[Serving]:
        """Lend a fresh server; kill it and see that what it acknowledged has landed.

        Raises ServerError, and LostPushError where it has not.
        """
        if system.command is None:
            raise ValueError(f"{system.slug} is no server")
        port = free_port()
        command, env = system.command(port), {"PYTHONPATH": str(_ROOT), **server_env(port)}
        with run_folder(self.work, system) as folder:
            with running(command, env, folder, port) as server:
                expect_success(port, system.path, self._make(records)[0])
                url = f"http://127.0.0.1:{port}{system.path}"
                serving = Serving(server, url, self._file(records))
                yield serving
            if system.lands:
                expect_landed(folder, serving.acknowledged)

    def _write(self, system: System, cell: Cell, number: int, seconds: int) -> Sample:
        bodies, publish = self._make(cell.records), system is DISK_PUBLISH
        with run_folder(self.work, system) as folder:
            before_s = time.process_time()
            load = write_files(folder, bodies, seconds, publish=publish)
            usage = Usage(time.process_time() - before_s, 0, 0)
        return Sample(system.slug, cell, number, load, usage)

    def _make(self, records: int) -> list[bytes]:
        if records not in self._bodies:
            self._bodies[records] = make_bodies(records)
            write_bodies(self._bodies[records], self._file(records))
        return self._bodies[records]

    def _file(self, records: int) -> Path:
        return self.work / f"bodies-{records}.txt"


def expect_landed(folder: Path, acknowledged: int) -> None:
    """Count the landed envelopes below ``folder``; raises LostPushError for too few."""
    landed = sum(map(_lines, (folder / "data" / "landing").rglob("*.jsonl")))
    if landed < acknowledged:
        raise LostPushError(f"{acknowledged} pushes were acknowledged and {landed} have landed.")


def _lines(file: Path) -> int:
    with file.open("rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(_CHUNK_BYTES), b""))
