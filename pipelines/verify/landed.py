"""Landed files, read again byte by byte."""

import base64
import binascii
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from hashlib import file_digest, sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.verify.clock import received_us
from pipelines.verify.compacted import compressed_lines, sound_members
from pipelines.verify.findings import Findings

PROVIDER = "yunpian"
_QUARANTINED = "quarantined"
_RESTORE = "restore it from a backup."


class Original(NamedTuple):
    """A landed file that a compressed one is registered to contain."""

    name: str
    """As it was called, below the landing folder."""
    offset: int
    """Where it begins in the decompressed text."""
    size: int
    digest: str | None


class KnownFile(NamedTuple):
    """What the warehouse says of a landed file, or of a file of the send log."""

    name: str
    """Path below the folder of landed files, or of the send log."""
    size: int
    digest: str | None
    """None where it could not be read, or is not one of ours."""
    state: str
    """``taken``, ``compacted`` or ``quarantined``."""
    originals: Sequence[Original] = ()
    """Landed files a compressed one is registered to contain, in their order."""


class LandedPush(NamedTuple):
    """One intact line of a landed file."""

    push_id: str
    received_us: int
    digest: str
    body: bytes
    file: str = ""
    """Landed file it lies in, by its name before compaction."""
    number: int = 0
    """Its line there, counted from 1."""


def lies_in(name: str | None, day: date | None) -> bool:
    """Tell whether a landed file lies in the folder of this landing day; None means any."""
    return day is None or (name or "").split("/")[-2:-1] == [day.isoformat()]


def list_files(root: Path, folder: str = ".") -> Iterator[str]:
    """Yield the files below a folder by their path; hidden ones are still being written."""
    for path, folders, names in os.walk(root / folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield os.path.relpath(f"{path}/{name}", root)


def read_file(
    landing: Path, known: KnownFile, findings: Findings, missing: list[KnownFile]
) -> Iterator[LandedPush]:
    """Yield the intact pushes of a file, and report where it differs from what was read.

    A plain file is read once, for its digest and its lines together. An absent one is added to
    ``missing``, because it may have been compacted meanwhile.
    """
    tally = _Tally()
    path = landing / known.name
    try:
        with path.open("rb") as file:
            if known.name.endswith(".gz"):
                tally.digest, tally.size = file_digest(file, "sha256"), file.tell()
                yield from _read_compacted(path, known, findings)
            else:
                yield from _read_lines(tally.passing(file), known.name, known, findings)
    except FileNotFoundError:
        missing.append(known)
    except OSError as error:
        _add(known.name, f"the landed file cannot be read ({error.strerror}); {_RESTORE}", findings)
    else:
        _compare_seal(known, tally, findings)


def read_moved(
    landing: Path, missing: Iterable[KnownFile], findings: Findings
) -> Iterator[LandedPush]:
    """Yield the pushes of files that have moved into compressed ones since they were read."""
    waiting = {file.name: file for file in missing}
    for folder in sorted({name.rpartition("/")[0] for name in waiting}):
        for container in sorted((landing / folder).glob("[!.]*.gz")):
            members, _ = sound_members(container)
            with container.open("rb") as file:
                by_name = groupby(compressed_lines(file, members), key=itemgetter(0))
                for base, lines in by_name:
                    known = waiting.pop(f"{folder}/{base}", None)
                    if known is not None:
                        tally = _Tally()
                        counted = tally.passing(line for _, line in lines)
                        yield from _read_lines(counted, known.name, known, findings)
                        _compare_seal(known, tally, findings)
    for known in waiting.values():
        # a person may have moved a quarantined file away
        if known.state != _QUARANTINED:
            _add(known.name, f"the landed file is gone; {_RESTORE}", findings)


class _Tally:
    """Size and digest of what passes."""

    def __init__(self) -> None:
        self.digest, self.size = sha256(), 0

    @property
    def seal(self) -> tuple[int, str]:
        """Both, so far."""
        return self.size, self.digest.hexdigest()

    def passing(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the lines as they are, each counted before it is handed on."""
        for line in lines:
            self.digest.update(line)
            self.size += len(line)
            yield line


def _read_lines(
    lines: Iterable[bytes], name: str, known: KnownFile, findings: Findings
) -> Iterator[LandedPush]:
    for number, line in enumerate(lines, start=1):
        push = read_line(line)
        if push is not None:
            yield push._replace(file=name, number=number)
        elif line.strip() and known.state != _QUARANTINED:
            sentence = f"line {number} is not an intact envelope; its push cannot be verified."
            _add(name, sentence, findings, "line")


def _read_compacted(path: Path, known: KnownFile, findings: Findings) -> Iterator[LandedPush]:
    """Read a compressed file original by original, at their registered offsets."""
    members, damaged = sound_members(path)
    if damaged and known.state != _QUARANTINED:
        _add(known.name, f"the compressed file is damaged; {_RESTORE}", findings)
    with path.open("rb") as file:
        lines = _Located(line for _, line in compressed_lines(file, members))
        for original in known.originals:
            name, offset, size, digest = original
            yield from _read_lines(lines.until(offset), known.name, known, findings)
            tally = _Tally()
            own_lines = tally.passing(lines.until(offset + size))
            yield from _read_lines(own_lines, name, known, findings)
            if tally.seal != (size, digest):
                sentence = (
                    f"its {size:,} bytes should lie in {known.name} at offset {offset:,}, but the "
                    f"bytes there do not have their sha256 {str(digest)[:12]}…; restore that file "
                    "from a backup."
                )
                _add(name, sentence, findings, "original")
        yield from _read_lines(lines.until(None), known.name, known, findings)


class _Located:
    """Lines, handed out as far as a place in the text."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._at = 0

    def until(self, end: int | None) -> Iterator[bytes]:
        """Yield the lines that begin before this byte, all that are left where it is None."""
        while end is None or self._at < end:
            line = next(self._lines, None)
            if line is None:
                return
            self._at += len(line)
            yield line


def _add(name: str, sentence: str, findings: Findings, kind: str = "file") -> None:
    findings.add(f"landing/{name}", sentence, kind)


def _compare_seal(known: KnownFile, tally: _Tally, findings: Findings) -> None:
    if tally.seal == (known.size, known.digest):
        return
    change = (
        f"it has {tally.size:,} bytes, but {known.size:,} were read"
        if tally.size != known.size
        else f"its {tally.size:,} bytes no longer have the sha256 {str(known.digest)[:12]}…"
    )
    quarantined = "it was quarantined and has changed since: `dlr run` reads it again."
    advice = _RESTORE if known.state == "taken" else quarantined
    _add(known.name, f"the landed file was altered, {change}; {advice}", findings)


def read_line(line: bytes) -> LandedPush | None:
    """Read an envelope: an id, a time, a body with the digest it was landed with; else None."""
    try:
        fields = json.loads(line.decode())
        push_id, received = fields["push_id"], received_us(fields["received_at"])
        body = _body(fields)
        claimed = fields.get("sha256")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    digest = sha256(body).hexdigest()
    sound = claimed is None or str(claimed).lower() == digest
    if push_id is None or received is None or not sound:
        return None
    return LandedPush(str(push_id), received, digest, body)


def _body(fields: dict[str, Any]) -> bytes:
    """Return the body as pushed; raises ValueError, KeyError or AttributeError without one."""
    text = fields.get("body")
    if text is not None:
        return bytes(text.encode())
    try:
        return base64.b64decode(fields["body_base64"], validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
