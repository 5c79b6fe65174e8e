"""What is measured: the receiver, the limits of its stack and of its disk, three peers."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

TOKEN = "a-token-for-benchmarks"  # noqa: S105  guards nothing
_PUSH_PATH = f"/yunpian/status/{TOKEN}"
_PEER_PATH = "/webhook"
_PEERS = "benchmarks.receiver.peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One thing that takes pushes."""

    slug: str
    label: str
    command: Callable[[int], list[str]] | None = None
    """Makes the command of a server from its port; None for bare writes, without a server."""
    path: str = _PEER_PATH
    """Where pushes are posted."""
    lands: bool = False
    """Whether every acknowledged push must be found in landed files."""
    programs: tuple[str, ...] = ()
    """Must be in PATH."""
    modules: tuple[str, ...] = ()
    """Must be importable."""


def _python(*arguments: str) -> Callable[[int], list[str]]:
    """Return a command that runs a module; ``{port}`` in it becomes the port."""
    return lambda port: [sys.executable, "-m", *(each.format(port=port) for each in arguments)]


RECEIVER = System(
    slug="dlr",
    label="this receiver",
    command=_python("ingest.server"),
    path=_PUSH_PATH,
    lands=True,
)
TWO_WORKERS = System(
    slug="dlr-2",
    label="this receiver, 2 workers",
    command=_python("ingest.workers", "2"),
    path=_PUSH_PATH,
    lands=True,
)
UNSTORED = System(
    slug="unstored",
    label="same stack, nothing stored",
    command=_python("benchmarks.receiver.stack", "unstored"),
    path=_PUSH_PATH,
)
FILE_PER_PUSH = System(
    slug="file-per-push",
    label="same stack, a synced file a push",
    command=_python("benchmarks.receiver.stack", "file-per-push"),
    path=_PUSH_PATH,
    lands=True,
)
DISK_WRITE = System(slug="disk-write", label="bare writes: write, sync")
DISK_PUBLISH = System(slug="disk-publish", label="bare writes: write, sync, rename, sync folder")
FASTAPI = System(
    slug="fastapi",
    label="FastAPI tutorial, unsynced",
    command=_python(
        *("uvicorn", f"{_PEERS}.fastapi_app:app", "--port", "{port}"),
        *("--no-access-log", "--log-level", "warning"),
    ),
    modules=("fastapi", "multipart", "sqlalchemy"),
)
FLASK = System(
    slug="flask",
    label="Flask tutorial, unsynced",
    command=_python(
        *("gunicorn", f"{_PEERS}.flask_app:app", "--bind", "127.0.0.1:{port}"),
        *("--log-level", "warning"),
    ),
    modules=("flask", "gunicorn"),
)
EXPRESS = System(
    slug="express",
    label="Express tutorial, unsynced",
    command=lambda port: ["node", "express_app.js", str(port)],
    programs=("node", "npm"),
)

SYSTEMS = (
    RECEIVER,
    TWO_WORKERS,
    UNSTORED,
    FILE_PER_PUSH,
    DISK_WRITE,
    DISK_PUBLISH,
    FASTAPI,
    FLASK,
    EXPRESS,
)


def server_env(port: int) -> dict[str, str]:
    """Return the environment of a server that takes pushes at ``port``."""
    return {
        "DLR_DATA": "data",
        "DLR_PUSH_TOKENS": TOKEN,
        "DLR_BIND": f"127.0.0.1:{port}",
    }
