"""A second process that works beside this one, and ends with it."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, TypeVar

from pipelines.folder.lock import WarehouseError

T = TypeVar("T")


def serve(descriptor: int) -> None:
    """Run what comes through the pipe until there is nothing more."""
    # Ctrl-C reaches both; the one that began it ends the other
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = Connection(descriptor)
    while True:
        try:
            function, arguments = pipe.recv()
        except (EOFError, ConnectionError):
            return
        try:
            result = function(*arguments)
        except Exception as error:  # noqa: BLE001  raised again where it was asked for
            result = _Raised(error)
        pipe.send(result)


class _Raised:
    def __init__(self, error: Exception) -> None:
        self.error = error


class Helper:
    """Runs one function at a time; at once and here where there is too little to do for two."""

    def __init__(self, *, apart: bool) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if apart:
            self._pipe, theirs = multiprocessing.Pipe()
            program = f"from pipelines.verify.helper import serve; serve({theirs.fileno()})"
            self._process = subprocess.Popen(  # noqa: S603  our own program
                [sys.executable, "-c", program],
                pass_fds=[theirs.fileno()],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            theirs.close()

    @property
    def hands(self) -> int:
        """How many processes there are, this one included."""
        return 1 if self._process is None else 2

    def __enter__(self) -> "Helper":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._pipe.close()
            self._process.kill()
            self._process.wait()

    def start(self, function: Callable[..., T], *arguments: Any) -> Callable[[], T]:  # noqa: ANN401
        """Begin; what is returned waits for the result.

        The result raises what the function raised, and WarehouseError where the process was killed.
        """
        if self._process is None:
            result = function(*arguments)
            return lambda: result
        self._pipe.send((function, arguments))
        return self._receive

    def _receive(self) -> Any:  # noqa: ANN401  whatever the function returns
        try:
            result = self._pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise WarehouseError(
                "A process of the verification was killed, perhaps for lack of memory; run it "
                "again when there is more."
            ) from error
        if isinstance(result, _Raised):
            raise result.error
        return result
