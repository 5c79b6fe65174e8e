"""Where long work says how far it is; the terminal listens, a daemon does not."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Hears how much of how much is done: landed bytes, or messages computed again."""

_listeners: list[Progress] = []


def silent(done: int, total: int) -> None:
    """Tell nobody."""


def listen(listener: Progress) -> None:
    """Hear of the progress of everything this process does from now on."""
    _listeners.append(listener)


def progress() -> Progress:
    """The listener that passes on to all."""

    def tell(done: int, total: int) -> None:
        """Pass it on to those who listen when it happens, not when this was made."""
        for listener in _listeners:
            listener(done, total)

    return tell
