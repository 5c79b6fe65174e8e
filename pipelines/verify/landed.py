"""Landed files, read again byte by byte."""

import base64
import binascii
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.verify.clock import received_us
from pipelines.verify.findings import Findings

PROVIDER = "yunpian"


class KnownFile(NamedTuple):
    """What the warehouse says of a landed file it has read."""

    name: str
    """Path below the landing folder."""
    size: int
    digest: str | None
    """None where it could not be read, or is none of ours."""
    state: str
    """``taken``, or ``set_apart`` where a person must look."""


@dataclass(frozen=True, slots=True)
class LandedPush:
    """One line of a landed file that is all there."""

    push_id: str
    received_us: int
    digest: str
    body: bytes


def lies_in(name: str | None, day: date | None) -> bool:
    """Tell whether a landed file lies in the folder of this landing day; None means any."""
    return day is None or (name or "").split("/")[-2:-1] == [day.isoformat()]


def count_landed(landing: Path, day: date | None) -> int:
    """Count the files of the landing folder; hidden ones are still being written."""
    count = 0
    for folder, folders, names in os.walk(landing / PROVIDER, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if day is None or Path(folder).name == day.isoformat():
            count += sum(not name.startswith(".") for name in names)
    return count


def read_file(path: Path, known: KnownFile, findings: Findings) -> Iterator[LandedPush]:
    """Yield the intact pushes of a file; what is not as it was read is found.

    The file is read once, for its digest and its lines together.
    """
    digest, size = sha256(), 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                digest.update(line)
                size += len(line)
                push = read_line(line)
                if push is not None:
                    yield push
                elif line.strip() and known.state == "taken":
                    findings.add(
                        f"landing/{known.name}",
                        f"line {number} is no intact envelope; its push cannot be proven.",
                        "line",
                    )
    except OSError as error:
        _say_unreadable(known, error, findings)
        return
    if (size, digest.hexdigest()) != (known.size, known.digest):
        _say_altered(known, size, findings)


def _say_unreadable(known: KnownFile, error: OSError, findings: Findings) -> None:
    if known.state == "set_apart" and isinstance(error, FileNotFoundError):
        # moved away by the person who was asked to look
        return
    gone = isinstance(error, FileNotFoundError)
    reason = "is gone" if gone else f"cannot be read ({error.strerror})"
    findings.add(
        f"landing/{known.name}", f"the landed file {reason}; restore it from a backup.", "file"
    )


def _say_altered(known: KnownFile, size: int, findings: Findings) -> None:
    what = (
        f"{size:,} bytes where {known.size:,} were read"
        if size != known.size
        else f"its {size:,} bytes have not the sha256 {str(known.digest)[:12]}… they were read with"
    )
    advice = (
        "restore it from a backup"
        if known.state == "taken"
        else "it was set apart and changed since: `dlr run` reads it again"
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
