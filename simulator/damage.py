"""Batches that arrive damaged, and what can be read of each.

A damaged push is a copy of a sound one, so that no truth is lost with it: what can be read of it
are duplicates. Records are counted as the product's contract does: an undecodable push, and the
unreadable rest of a damaged array, are one rejected record each.
"""

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from simulator.records import Element


class PushKind(StrEnum):
    """What a push is."""

    BATCH = "batch"
    """A sound batch, for the first time."""
    REPLAY = "replay"
    """The same body once more, though it was accepted."""
    TRUNCATED = "truncated"
    """The array ends inside an object."""
    BAD_UTF8 = "bad_utf8"
    """Bytes that are not UTF-8 stand in a field the provider's page does not name."""
    LONE_SURROGATE = "lone_surrogate"
    """Half a surrogate pair stands in such a field, as a JSON escape."""
    NOT_JSON = "not_json"
    """Some other text instead of JSON."""
    NOT_AN_ARRAY = "not_an_array"
    """One record without the array around it."""
    EMPTY_ARRAY = "empty_array"
    """No record at all."""


DAMAGE_KINDS = tuple(kind for kind in PushKind if kind not in (PushKind.BATCH, PushKind.REPLAY))


class Payload(NamedTuple):
    """The JSON of a push and what it holds."""

    data: bytes
    """UTF-8, or nearly."""
    records: int
    """Records it counts as, the rejected ones included."""
    rejected: int
    """Records that have to be rejected."""
    reports: tuple[int, ...]
    """The reports that can be read of it (``Element.report``)."""


def array_payload(elements: Sequence[Element], data: bytes | None = None) -> Payload:
    """Return a sound array of ``elements``; ``data`` replaces its JSON."""
    reports = tuple([element.report for element in elements if element.report >= 0])
    if data is None:
        data = array_text(elements).encode()
    return Payload(data, len(elements), len(elements) - len(reports), reports)


def array_text(elements: Sequence[Element]) -> str:
    """Return the JSON array of ``elements``."""
    return "[" + ",".join([element.text for element in elements]) + "]"


def damaged_payload(kind: PushKind, elements: Sequence[Element], rng: random.Random) -> Payload:
    """Return a copy of a batch with the damage ``kind``.

    Raises ValueError where ``kind`` is not a damage, or where the batch has no object to damage.
    """
    objects = [i for i, element in enumerate(elements) if element.report >= 0]
    if not objects:
        raise ValueError("a batch without a sound record cannot be damaged")
    victim = rng.choice(objects)
    match kind:
        case PushKind.TRUNCATED:
            return _truncated(elements, victim)
        case PushKind.BAD_UTF8:
            return _with_note(elements, victim, b"\xc3\x28\xff")
        case PushKind.LONE_SURROGATE:
            return _with_note(elements, victim, rb"\ud83d")
        case PushKind.NOT_JSON:
            return Payload(b"<html><h1>502 Bad Gateway</h1></html>", 1, 1, ())
        case PushKind.NOT_AN_ARRAY:
            return Payload(elements[victim].text.encode(), 1, 1, ())
        case PushKind.EMPTY_ARRAY:
            return Payload(b"[]", 0, 0, ())
    raise ValueError(f"{kind} is not a damage")


def _truncated(elements: Sequence[Element], victim: int) -> Payload:
    whole = array_payload(elements[:victim])
    half = elements[victim].text[: len(elements[victim].text) // 2]
    data = "[" + "".join([element.text + "," for element in elements[:victim]]) + half
    return Payload(data.encode(), whole.records + 1, whole.rejected + 1, whole.reports)


def _with_note(elements: Sequence[Element], victim: int, note: bytes) -> Payload:
    texts = [element.text.encode() for element in elements]
    texts[victim] = texts[victim][:-1] + b',"note":"' + note + b'"}'
    return array_payload(elements, b"[" + b",".join(texts) + b"]")
