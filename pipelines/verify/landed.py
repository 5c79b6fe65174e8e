"""Landed files, read again byte by byte."""

import json
import os
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from hashlib import file_digest, sha256
from itertools import count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pipelines.verify.clock import received_us
from pipelines.verify.compacted import DamagedMemberError, read_members
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

    An absent one is added to ``missing``, because it may have been compacted meanwhile.
    """
    try:
        with (landing / known.name).open("rb") as file:
            digest, size = file_digest(file, "sha256").hexdigest(), file.tell()
            if known.name.endswith(".gz"):
                yield from _read_compacted(file, known, findings)
            else:
                file.seek(0)
                lines = zip(file, count(1), strict=False)
                yield from _read_lines(lines, known.name, known, findings)
    except FileNotFoundError:
        missing.append(known)
    except OSError as error:
        _add(known.name, f"the landed file cannot be read ({error.strerror}); {_RESTORE}", findings)
    else:
        _compare_content(known, size, digest, findings)


def read_moved(
    landing: Path, missing: Sequence[KnownFile], findings: Findings
) -> Iterator[LandedPush]:
    """Yield the pushes of files that have moved into compressed ones since they were read.

    What lay in a compressed file that is gone lies in a larger one.
    """
    waiting = {part.name: part for file in missing for part in _parts(file)}
    for folder in sorted({name.rpartition("/")[0] for name in waiting}):
        for container in sorted((landing / folder).glob("[!.]*.gz")):
            # what lies behind damage is gone, and said to be so
            with container.open("rb") as file, suppress(DamagedMemberError):
                for member in read_members(file):
                    known = waiting.pop(f"{folder}/{member.name}", None)
                    if known is not None:
                        lines = zip(member.lines, count(1), strict=False)
                        yield from _read_lines(lines, known.name, known, findings)
                        _compare_content(known, member.size, member.digest, findings)
    for absent in missing:
        names = [part.name for part in _parts(absent)]
        lost = [name for name in names if name in waiting]
        # a person may have moved a quarantined file away
        if absent.state != _QUARANTINED:
            for name in [absent.name] if lost == names else lost:
                _add(name, f"the landed file is gone; {_RESTORE}", findings)


def _parts(file: KnownFile) -> Iterator[KnownFile]:
    """The landed files that a file was made of; itself where it was not."""
    for name, _, size, digest in file.originals:
        yield KnownFile(name, size, digest, "taken")
    if not file.originals:
        yield file


def _read_compacted(file: BinaryIO, known: KnownFile, findings: Findings) -> Iterator[LandedPush]:
    """Read a compressed file member by member, each as the original that is registered for it."""
    registered = defaultdict(list)
    for original in known.originals:
        registered[original[1:]].append(original.name)
    line_numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1))
    try:
        for member in read_members(file):
            names = registered[member.offset, member.size, member.digest]
            name = names.pop(0) if names else known.name
            # the numbers go on where several members are no original
            lines = zip(member.lines, line_numbers[name], strict=False)
            yield from _read_lines(lines, name, known, findings)
    except DamagedMemberError:
        if known.state != _QUARANTINED:
            _add(known.name, f"the compressed file is damaged; {_RESTORE}", findings)
    for (offset, size, digest), names in registered.items():
        for name in names:
            sentence = (
                f"its {size:,} bytes should lie in {known.name} at offset {offset:,}, but the "
                f"bytes there do not have their sha256 {str(digest)[:12]}…; restore that file "
                "from a backup."
            )
            _add(name, sentence, findings, "original")


def _read_lines(
    lines: Iterable[tuple[bytes, int]], name: str, known: KnownFile, findings: Findings
) -> Iterator[LandedPush]:
    for line, number in lines:
        push = read_line(line)
        if push is not None:
            yield push._replace(file=name, number=number)
        elif line.strip() and known.state != _QUARANTINED:
            sentence = f"line {number} is not an intact envelope; its push cannot be verified."
            _add(name, sentence, findings, "line")


def _add(name: str, sentence: str, findings: Findings, kind: str = "file") -> None:
    findings.add(f"landing/{name}", sentence, kind)


def _compare_content(known: KnownFile, size: int, digest: str, findings: Findings) -> None:
    if (size, digest) == (known.size, known.digest):
        return
    change = (
        f"it has {size:,} bytes, but {known.size:,} were read"
        if size != known.size
        else f"its {size:,} bytes no longer have the sha256 {str(known.digest)[:12]}…"
    )
    quarantined = "it was quarantined and has changed since: `dlr run` reads it again."
    advice = _RESTORE if known.state == "taken" else quarantined
    _add(known.name, f"the landed file was altered, {change}; {advice}", findings)


def read_line(line: bytes) -> LandedPush | None:
    """Read an envelope: an id, a time, a body with the digest it was landed with; else None."""
    try:
        fields = json.loads(line.decode())
        text = fields.get("body")
        body = b64decode(fields["body_base64"], validate=True) if text is None else text.encode()
        push_id, received, claimed = fields["push_id"], fields["received_at"], fields.get("sha256")
        at_us, digest = received_us(received), sha256(body).hexdigest()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if push_id is None or (claimed is not None and str(claimed).lower() != digest):
        return None
    return LandedPush(str(push_id), at_us, digest, body)
