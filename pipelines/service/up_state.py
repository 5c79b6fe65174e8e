"""Whether `dlr up` is meant to run on a data folder, and whether it does."""

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from filelock import FileLock, Timeout

from contract.problems import UP_FILE, is_up_expected, read_json, read_problems, service_folder
from contract.settings import Settings

HANGS_AFTER = timedelta(minutes=5)
"""Age of ``problems.json``, which a living `dlr up` writes every 15 s."""


def trouble_of_up(settings: Settings) -> str:
    """In a sentence, that `dlr up` was killed or hangs; empty if it runs, or is not meant to."""
    folder = service_folder(settings.data)
    if not is_up_expected(folder):
        return ""
    if not is_up_alive(settings):
        return (
            "`dlr up` was killed, and with it the receiver. Start it again; to do without it, "
            f"delete {folder / UP_FILE}."
        )
    present = read_problems(folder)
    if present and datetime.now(UTC) - present.at > HANGS_AFTER:
        return f"`dlr up` has not looked since {present.at:%Y-%m-%d %H:%M}Z; restart it."
    return ""


def is_up_alive(settings: Settings) -> bool:
    """Whether a `dlr up` lives: it holds its lock, or its process is there."""
    folder = service_folder(settings.data)
    if not folder.exists():
        return False
    lock = folder / "up.lock"
    if lock.exists():
        try:
            with FileLock(lock, timeout=0):
                return False
        except Timeout:
            return True
    with suppress(KeyError, TypeError, ValueError, ProcessLookupError):
        with suppress(PermissionError):  # it is there, as somebody else's
            os.kill(int(read_json(folder / UP_FILE)["pid"]), 0)
        return True
    return False
