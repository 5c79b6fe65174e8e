"""Processes that end with the one that started them; does without Dagster."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Have Linux kill this process as soon as ``parent`` (a process id) is gone.

    SIGKILL, because a stopped or hanging process must go as well; everything here may be killed at
    any moment. Other systems do not offer this. On all of them, a process whose parent is gone
    already ends at once.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if hasattr(os, "getppid") and os.getppid() != parent:
        sys.exit("The process that started this one is gone.")
