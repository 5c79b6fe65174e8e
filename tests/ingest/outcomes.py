"""Every outcome that a request can have, and how to come to it."""

import errno
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest

import ingest.receiver
from ingest.access import Access
from ingest.metrics import Metrics
from tests.ingest.asgi import Receiver

PUSH_PATH = "/yunpian/status/{token}"

Outcome = tuple[int, str]
"""Status and slug; no slug where none is told."""
Trouble = Callable[[pytest.MonkeyPatch, Receiver], None]
"""What goes wrong in the receiver meanwhile."""


def failing_write(error: int) -> Trouble:
    return lambda patch, receiver: patch.setattr(
        receiver.landing.folder, "write", Mock(side_effect=OSError(error, "made to fail"))
    )


def slow_write(patch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    patch.setattr(ingest.receiver, "LAND_TIMEOUT_S", 0.01)
    patch.setattr(receiver.landing.folder, "write", lambda *_: time.sleep(0.2))


def no_room_in_memory(patch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    patch.setattr(receiver.landing, "in_flight_limit_bytes", 0)


def stopping(patch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    patch.setattr(receiver.landing, "accepting", False)


def defect(patch: pytest.MonkeyPatch, _receiver: Receiver) -> None:
    patch.setattr(Access, "allows", Mock(side_effect=ValueError))
    patch.setattr(Metrics, "page", Mock(side_effect=ValueError))


class Case(NamedTuple):
    """A request that leads to an outcome."""

    outcome: Outcome
    changes: Mapping[str, Any] = MappingProxyType({})
    trouble: Trouble = lambda *_: None


ANY_METHOD = [
    Case((404, ""), {"path": PUSH_PATH.format(token="wrong")}),
    Case((404, ""), {"peer": "198.51.100.9"}),
    Case((503, "internal"), trouble=defect),
]
CASES: dict[tuple[str, str], list[Case]] = {
    (PUSH_PATH, "post"): [
        *ANY_METHOD,
        Case((200, "")),
        Case((400, "body_empty"), {"pieces": []}),
        Case((400, "parameter_missing"), {"pieces": [b"a=1"]}),
        Case((400, "body_incomplete"), {"is_whole": False}),
        Case((411, "length_required"), {"headers": []}),
        Case((413, "body_too_large"), {"headers": [(b"content-length", b"9" * 30)]}),
        Case((415, "body_compressed"), {"headers": [(b"content-encoding", b"gzip")]}),
        Case((503, "too_much_in_flight"), trouble=no_room_in_memory),
        Case((503, "disk_full"), trouble=failing_write(errno.ENOSPC)),
        Case((503, "write_failed"), trouble=failing_write(errno.EIO)),
        Case((503, "write_slow"), trouble=slow_write),
        Case((503, "shutting_down"), trouble=stopping),
    ],
    (PUSH_PATH, "get"): [*ANY_METHOD, Case((200, ""))],
    (PUSH_PATH, "head"): [*ANY_METHOD, Case((200, ""))],
    **{
        (PUSH_PATH, method): [*ANY_METHOD, Case((405, "method_not_allowed"))]
        for method in ("put", "delete", "options", "patch", "trace", "purge")
    },
    ("/healthz", "get"): [Case((200, ""))],
    ("/healthz", "head"): [Case((200, ""))],
    ("/readyz", "get"): [Case((200, "")), Case((503, ""), trouble=stopping)],
    ("/readyz", "head"): [Case((200, "")), Case((503, ""), trouble=stopping)],
    ("/metrics", "get"): [Case((200, "")), Case((503, "internal"), trouble=defect)],
}
BEFORE_THE_APPLICATION: set[Outcome] = {(400, ""), (408, ""), (431, ""), (503, "")}
"""What the server answers by itself, whatever was asked."""
