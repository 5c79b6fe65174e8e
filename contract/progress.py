"""Progress of long work; a terminal listens to it, a daemon does not."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with how much of how much is done: landed bytes, or recomputed messages."""

_listeners: list[Progress] = []


def silent(done: int, total: int) -> None:
    """Report nothing."""


def listen(listener: Progress) -> None:
    """Report the progress of everything this process does from now on to ``listener``."""
    _listeners.append(listener)


def progress() -> Progress:
    """Return a listener that passes on to all that listen at the time of the call."""

    def tell(done: int, total: int) -> None:
        """Pass it on."""
        for listener in _listeners:
            listener(done, total)

    return tell
