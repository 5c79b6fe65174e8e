"""What was acknowledged against what lies in the folder, read without the product's own code."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.live import landed_files
from tests.torture.load import Push

Partials = dict[str, bytes]
"""Half-written files by name."""


@dataclass
class Books:
    """All that one data folder was seen to hold, audit after audit."""

    data: Path
    acknowledged: dict[str, Push] = field(default_factory=dict)
    """What was answered SUCCESS, by push id."""
    landed: dict[str, Push] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    """Push ids that were answered SUCCESS and are not there, or not as they were pushed."""
    torn: set[str] = field(default_factory=set)
    """Visible files that are not whole."""
    swept: set[str] = field(default_factory=set)
    """Half-written files that were found aside, byte for byte."""
    strange: list[str] = field(default_factory=list)
    """Whatever else may not be, in sentences."""
    _files: dict[Path, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        """Everything that may not be, one sentence each."""
        lost = [f"lost: {push_id}" for push_id in sorted(self.lost)]
        return [*lost, *(f"torn: {name}" for name in sorted(self.torn)), *self.strange]

    def audit(self, acknowledged: Mapping[str, Push]) -> None:
        """Read the files that are new, and find what was acknowledged since the last audit."""
        self.acknowledged |= acknowledged
        now = {file: _state(file) for file in landed_files(self.data)}
        for file, state in self._files.items():
            if now.get(file) != state:
                self.strange.append(f"changed or gone: {file.name}")
        for file in now.keys() - self._files.keys():
            self._read(file)
        self._files = now
        self.lost |= {
            push_id for push_id, push in acknowledged.items() if self.landed.get(push_id) != push
        }

    def audit_from_scratch(self) -> None:
        """Read every file again: nothing that was found before may have changed."""
        self.landed.clear()
        self._files.clear()
        self.audit(self.acknowledged)

    def check_swept(self, left: Partials) -> None:
        """Find what a dead process left half-written: aside, as it was, and nowhere else."""
        for name, content in left.items():
            aside = self.data / "landing" / ".aside" / name
            is_aside = aside.exists() and aside.read_bytes() == content
            if is_aside and not (partials_of(self.data) / name).exists():
                self.swept.add(name)
            else:
                self.strange.append(f"not swept aside as it was: {name}")

    def _read(self, file: Path) -> None:
        try:
            pushes = read_pushes(file.read_bytes())
        except (ValueError, KeyError):
            self.torn.add(file.name)
            return
        twice = self.landed.keys() & pushes.keys()
        self.strange += [f"landed twice: {push_id}" for push_id in twice]
        self.landed |= pushes


def read_pushes(content: bytes) -> dict[str, Push]:
    """Return what a landed file holds, by push id; raises ValueError or KeyError if it is torn."""
    *lines, rest = content.split(b"\n")
    if rest or not lines:
        raise ValueError("a landed file ends in a newline")
    pushes = {}
    for line in lines:
        fields = json.loads(line)
        encoded = fields.get("body_base64")
        body = base64.b64decode(encoded) if encoded is not None else fields["body"].encode()
        digest = hashlib.sha256(body).hexdigest()
        if digest != fields["sha256"]:
            raise ValueError("the digest is of another body")
        pushes[fields["push_id"]] = Push(digest, fields["remote_addr"], fields["content_type"])
    return pushes


def is_whole(content: bytes) -> bool:
    """Tell whether a landed file with this content would be complete."""
    try:
        return bool(read_pushes(content))
    except (ValueError, KeyError):
        return False


def partials_of(data: Path) -> Path:
    """Return the folder of what is being written."""
    return data / "landing" / "yunpian" / ".partial"


def left_behind(data: Path, living: str = "") -> Partials:
    """Return what dead processes left half-written; ``living`` is the id of another process."""
    return {
        file.name: file.read_bytes()
        for file in partials_of(data).glob("*")
        if not (living and living in file.name)
    }


def _state(file: Path) -> tuple[int, int, int]:
    state = file.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns
