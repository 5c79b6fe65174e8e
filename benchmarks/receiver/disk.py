"""The limit of the disk: one push's bytes a file, one file after the other, no server."""

import os
import time
from collections.abc import Sequence
from itertools import count, cycle
from pathlib import Path

from benchmarks.receiver.load import Load


def write_files(folder: Path, bodies: Sequence[bytes], seconds: float, *, publish: bool) -> Load:
    """Write bodies for ``seconds``, each to a new file that is synced.

    With ``publish`` a file is also renamed to another folder and that folder is synced, which
    is what the receiver promises; without it a power cut may take the file's name.
    """
    partials, final = folder / "partials", folder / "final"
    partials.mkdir()
    final.mkdir()
    times_s: list[float] = []
    began = now = time.perf_counter()
    for number, body in zip(count(), cycle(bodies)):
        if now - began >= seconds:
            break
        _write(body, partials / f"{number}", final if publish else None)
        before, now = now, time.perf_counter()
        times_s.append(now - before)
    return _load(times_s, now - began)


def _write(body: bytes, file: Path, final: Path | None) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, body)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if final:
        file.rename(final / file.name)
        _sync_folder(final)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(times_s: list[float], seconds: float) -> Load:
    ordered = sorted(times_s)
    p50, p99 = (ordered[int(len(ordered) * quantile)] * 1e6 for quantile in (0.50, 0.99))
    return Load(pushes=len(ordered), seconds=seconds, p50_us=p50, p99_us=p99, errors={})
