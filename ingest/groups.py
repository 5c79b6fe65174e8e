"""A group of pushes: who waits for it, its one write, and how that went."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

from ingest.durable import FULL
from ingest.folder import LandingFolder
from ingest.rejects import DiskFullError, LandingError, WriteFailedError


@dataclass(frozen=True, slots=True)
class Group:
    """Outcome of the pushes that were written together."""

    pushes: int
    size_bytes: int
    seconds: float
    """From opening the file to the last sync."""
    error: LandingError | None


@dataclass(slots=True)
class Waiting:
    """A push (without a line: a probe), and the future of who waits for it."""

    done: asyncio.Future[None]
    line: bytes = b""
    size_bytes: int = 0
    """Of the body."""
    held_bytes: int = 0
    """Of the body once escaped, which can make it six times as long."""


def land_group(folder: LandingFolder, moment: datetime, waiting: list[Waiting]) -> Group:
    """Write the pushes to one file, or try whether one could be written where none wait."""
    lines = [push.line for push in waiting if push.line]
    started = time.perf_counter()
    error = _write(folder, moment, lines)
    seconds = time.perf_counter() - started
    return Group(len(lines), sum(push.size_bytes for push in waiting), seconds, error)


def _write(folder: LandingFolder, moment: datetime, lines: list[bytes]) -> LandingError | None:
    try:
        if lines:
            folder.write(moment, lines)
        else:
            folder.probe()
    except OSError as error:
        full = error.errno in FULL
        kind = DiskFullError if full else WriteFailedError
        return kind(error.strerror or type(error).__name__)
    except Exception as error:  # noqa: BLE001 - a dead writer would be a silent outage
        return WriteFailedError(type(error).__name__)
    return None
