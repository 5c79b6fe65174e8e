"""Landing: the exact files on disk, groups, and what happens when the disk fails."""

import asyncio
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.durable import PARTIAL_SUFFIX, sweep_aside
from ingest.envelope import Envelope
from ingest.folder import LandingFolder
from ingest.landing import (
    ClosedError,
    DiskFullError,
    Group,
    Landing,
    LandingError,
    TooMuchInFlightError,
    WriteFailedError,
)

MOMENT = datetime(2026, 11, 23, 6, 15, 0, 123456, tzinfo=UTC)


def an_envelope(number: int = 1) -> Envelope:
    return Envelope(f"{number:014x}-aa", MOMENT, "192.0.2.7", "", b"sms_status=%d" % number)


def tree(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def read(root: Path) -> list[list[Envelope]]:
    return [
        [Envelope.from_line(line) for line in file.read_bytes().splitlines()]
        for file in sorted(root.glob("[0-9]*/*.jsonl"))
    ]


def test_the_tree_is_as_drawn(folder: LandingFolder) -> None:
    file = folder.write(MOMENT, [an_envelope(1), an_envelope(2)])
    name = f"20261123T061500.123456Z-{folder.process}.jsonl"
    assert tree(folder.root.parent) == [
        "yunpian",
        "yunpian/.partial",
        "yunpian/2026-11-23",
        f"yunpian/2026-11-23/{name}",
    ]
    assert file.read_bytes() == an_envelope(1).to_line() + an_envelope(2).to_line()


def test_everything_is_private(folder: LandingFolder) -> None:
    folder.write(MOMENT, [an_envelope()])
    for path in (folder.root.parent, *folder.root.parent.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def in_a_loop[T](folder: LandingFolder, act: Callable[[Landing], T]) -> T:  # noqa: D103
    raise NotImplementedError
