"""A second process that works beside this one, and ends with it."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from pipelines.folder.lock import WarehouseError

T = TypeVar("T")


def serve(descriptor: int) -> None:
    """Call the functions that come through a pipe until it is closed; send result and error."""
    # Ctrl-C reaches both processes; the first one ends the second
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = Connection(descriptor)
    while True:
        try:
            function, arguments = pipe.recv()
        except (EOFError, ConnectionError):
            return
        try:
            pipe.send((function(*arguments), None))
        except Exception as error:  # noqa: BLE001  raised again by the caller's process
            pipe.send((None, error))


class Helper:
    """Calls one function at a time in the second process; in this one where there is none."""

    def __init__(self, pipe: Connection | None) -> None:
        self._pipe = pipe
        self.processes = 1 if pipe is None else 2

    def start(self, function: Callable[..., T], *arguments: Any) -> Callable[[], T]:  # noqa: ANN401
        """Call a function; the callable returned waits for its result.

        The result raises what the function raised, and WarehouseError where the process was killed.
        """
        if self._pipe is None:
            result = function(*arguments)
            return lambda: result
        self._pipe.send((function, arguments))
        return self._receive

    def _receive(self) -> Any:  # noqa: ANN401  whatever the function returns
        assert self._pipe is not None  # noqa: S101  start() has used it
        try:
            result, error = self._pipe.recv()
        except (EOFError, ConnectionError) as cause:
            raise WarehouseError(
                "A process of the verification was killed, perhaps because memory ran out; free "
                "some and run it again."
            ) from cause
        if error is not None:
            raise error
        return result


@contextmanager
def start_helper(*, apart: bool) -> Iterator[Helper]:
    """Start a second process if ``apart``, and kill it at the end."""
    if not apart:
        yield Helper(None)
        return
    ours, theirs = multiprocessing.Pipe()
    program = f"from pipelines.verify.helper import serve; serve({theirs.fileno()})"
    process = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-c", program],
        pass_fds=[theirs.fileno()],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    theirs.close()
    try:
        yield Helper(ours)
    finally:
        ours.close()
        process.kill()
        process.wait()
