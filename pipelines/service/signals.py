"""Waits that a signal or the end of a child cuts short."""

import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def waking(received: list[int]) -> Iterator[Callable[[float], None]]:
    """Yield a wait of at most so many seconds; signals that ask to stop are added to ``received``.

    Between two ends of children nothing runs, and an end is seen at once. Main thread only.
    """
    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.setblocking(False)

    def wait(timeout_s: float) -> None:
        select.select([reader], [], [], timeout_s)
        with suppress(BlockingIOError):
            reader.recv(1024)

    with reader, writer:
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in _STOP:
            signal.signal(number, lambda number, _frame: received.append(number))
        try:
            yield wait
        finally:
            signal.set_wakeup_fd(-1)
