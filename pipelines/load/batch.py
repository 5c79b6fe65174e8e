"""A backlog of files, cut into batches: each is what one transaction takes in.

A batch holds files up to a share of the memory. A file that is larger, or compressed, is a batch
for each of its chunks. Files of the send log come with the first batch after they are read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from contract.settings import Settings
from pipelines import models
from pipelines.landing.admission import Admission, admit
from pipelines.landing.chunks import Chunk, chunks_of
from pipelines.landing.inventory import LandedFile, in_batches
from pipelines.sends.files import SendFile
from pipelines.sends.store import SendsRead, read_sends

_MOST_BYTES = 512 * 1024**2
_BATCHES_IN_MEMORY = 10
"""A batch takes about four times its landed bytes, which are this fraction of the memory."""
NO_SENDS = SendsRead([], {})


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction takes in: files, or a chunk of one file."""

    files: Sequence[LandedFile] = ()
    chunk: Chunk | None = None
    sends: SendsRead = NO_SENDS
    """Files of the send log, ingested with the first chunk."""
    bytes_read: int = 0

    @property
    def completed(self) -> int:
        """Number of files that end with it: none before the last chunk of a file."""
        return len(self.files) if self.chunk is None or self.chunk.last else 0

    def admissions(self, landing: Path) -> list[Admission]:
        """The files, each with its digest or the reason why it cannot be read."""
        return [self.chunk.admission] if self.chunk else admit(landing, list(self.files))


def batches(
    con: duckdb.DuckDBPyConnection, settings: Settings, files: Sequence[LandedFile]
) -> Iterator[Batch]:
    """Yield one batch after the other; a chunk lies on disk until the next one is asked for."""
    most_bytes = min(_MOST_BYTES, models.memory_limit(con) // _BATCHES_IN_MEMORY)
    scratch = settings.data.absolute() / "tmp"
    for group in in_batches(files, most_bytes):
        # outside of the transaction: DuckDB ends that where a file is unreadable
        sends = read_sends(con, settings, group)
        landed = [file for file in group if not isinstance(file, SendFile)]
        for chunk in chunks_of(settings.landing, scratch, landed, most_bytes):
            size = chunk.bytes_read if chunk else sum(file.size for file in group)
            yield Batch(landed, chunk, sends, size)
            sends = NO_SENDS
