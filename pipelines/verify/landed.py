"""Landed files, read again byte by byte."""

import base64
import binascii
import json
import os
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import file_digest, sha256
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.verify.clock import received_us
from pipelines.verify.compacted import compressed_lines, sound_members
from pipelines.verify.findings import Findings

PROVIDER = "yunpian"


class Original(NamedTuple):
    """A landed file that is said to lie in a compressed one."""

    name: str
    """As it was called, below the landing folder."""
    offset: int
    """Where it begins in the decompressed text."""
    size: int
    digest: str | None


class KnownFile(NamedTuple):
    """What the warehouse says of a landed file it has read."""

    name: str
    """Path below the landing folder."""
    size: int
    digest: str | None
    """None where it could not be read, or is none of ours."""
    state: str
    """``taken`` or ``compacted``, or ``quarantined`` where a person must look."""
    originals: list[Original]
    """Landed files that are said to lie in it, where it is compressed, in their order."""


class LandedPush(NamedTuple):
    """One line of a landed file that is all there."""

    push_id: str
    received_us: int
    digest: str
    body: bytes
    file: str = ""
    """Landed file it lies in, by the name that had before compaction."""
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
    """Yield the intact pushes of a file; what is not as it was read is found.

    A plain file is read once, for its digest and its lines together. One that is not there is put
    to the ``missing``: it may have been compacted meanwhile.
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
        _say_unreadable(known, f"cannot be read ({error.strerror})", findings)
    else:
        _compare_seal(known, tally, findings)


def read_moved(
    landing: Path, missing: Iterable[KnownFile], findings: Findings
) -> Iterator[LandedPush]:
    """Yield the pushes of files that have moved into compressed ones since they were read."""
    waiting = {one.name: one for one in missing}
    for folder in sorted({name.rpartition("/")[0] for name in waiting}):
        for container in sorted((landing / folder).glob("[!.]*.gz")):
            members, _ = sound_members(container)
            with container.open("rb") as file:
                by_name = groupby(compressed_lines(file, members), key=lambda one: one[0])
                for base, lines in by_name:
                    known = waiting.pop(f"{folder}/{base}", None)
                    if known is not None:
                        tally = _Tally()
                        found = tally.passing(line for _, line in lines)
                        yield from _read_lines(found, known.name, known, findings)
                        _compare_seal(known, tally, findings)
    for known in waiting.values():
        # what was quarantined may have been moved away by the person who was asked to look
        if known.state != "quarantined":
            _say_unreadable(known, "is gone", findings)


class _Tally:
    """Size and digest of what passes."""

    def __init__(self) -> None:
        self.digest, self.size = sha256(), 0

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
        elif line.strip() and known.state != "quarantined":
            findings.add(
                f"landing/{name}",
                f"line {number} is no intact envelope; its push cannot be proven.",
                "line",
            )


def _read_compacted(path: Path, known: KnownFile, findings: Findings) -> Iterator[LandedPush]:
    """Read a compressed file original by original, at the places where they are said to lie."""
    members, damaged = sound_members(path)
    if damaged and known.state != "quarantined":
        sentence = "the compressed file is damaged; restore it from a backup."
        findings.add(f"landing/{known.name}", sentence, "file")
    with path.open("rb") as file:
        lines = _Located(line for _, line in compressed_lines(file, members))
        for one in known.originals:
            yield from _read_lines(lines.until(one.offset), known.name, known, findings)
            tally = _Tally()
            original = tally.passing(lines.until(one.offset + one.size))
            yield from _read_lines(original, one.name, known, findings)
            if (tally.size, tally.digest.hexdigest()) != (one.size, one.digest):
                sentence = (
                    f"{one.size:,} bytes of it are said to lie in {known.name} at {one.offset:,}, "
                    f"but what lies there has not the sha256 {str(one.digest)[:12]}… they had; "
                    "restore that file from a backup."
                )
                findings.add(f"landing/{one.name}", sentence, "original")
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


def _say_unreadable(known: KnownFile, reason: str, findings: Findings) -> None:
    sentence = f"the landed file {reason}; restore it from a backup."
    findings.add(f"landing/{known.name}", sentence, "file")


def _compare_seal(known: KnownFile, tally: _Tally, findings: Findings) -> None:
    if (tally.size, tally.digest.hexdigest()) != (known.size, known.digest):
        _say_altered(known, tally.size, findings)


def _say_altered(known: KnownFile, size: int, findings: Findings) -> None:
    what = (
        f"{size:,} bytes where {known.size:,} were read"
        if size != known.size
        else f"its {size:,} bytes have not the sha256 {str(known.digest)[:12]}… they were read with"
    )
    advice = (
        "restore it from a backup"
        if known.state == "taken"
        else "it was quarantined and changed since: `dlr run` reads it again"
    )
    findings.add(f"landing/{known.name}", f"the landed file was altered, {what}; {advice}.", "file")


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
    if push_id is None or received is None:
        return None
    if claimed is not None and str(claimed).lower() != digest:
        return None
    return LandedPush(str(push_id), received, digest, body)


def _body(fields: dict[str, Any]) -> bytes:
    """Return the body as pushed; raises ValueError, KeyError or AttributeError if there is none."""
    text = fields.get("body")
    if text is not None:
        return bytes(text.encode())
    try:
        return base64.b64decode(fields["body_base64"], validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
