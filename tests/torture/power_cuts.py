"""The power goes under load; what the medium held is mounted again and compared."""

import random
import time
from pathlib import Path

from tests.live import push, running_receiver
from tests.torture.books import Books, left_behind
from tests.torture.disks import PowerCutDisk
from tests.torture.kills import wait_for_first
from tests.torture.load import PROXIES, load

LONGEST_LOAD_S = 0.5

_ONLY_SOME_ARE_SYNCED = """
import os, stat
real_fsync = os.fsync
def is_folder(descriptor):
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)
def fsync(descriptor):
    if {condition}:
        real_fsync(descriptor)
os.fsync = fsync
"""
NOTHING_IS_SYNCED = "import os\nos.fsync = lambda descriptor: None"
FILES_ARE_NOT_SYNCED = _ONLY_SOME_ARE_SYNCED.format(condition="is_folder(descriptor)")
FOLDERS_ARE_NOT_SYNCED = _ONLY_SOME_ARE_SYNCED.format(condition="not is_folder(descriptor)")
"""Preludes of receivers that say SUCCESS too early, each in its way."""


def power_cut(folder: Path, chance: random.Random, *, prelude: str = "") -> Books:
    """Cut the power of a receiver on a new disk; return what was found afterwards.

    What counts is what was answered before the power went. Here the computer runs on without
    its disk, and in the first milliseconds a sync may say that it worked (ext4 takes the
    transaction that was given up for a finished one); with the power, the answer would be gone.

    ``prelude`` breaks the receiver. Such a one is cut just after the load, so that what it
    loses was acknowledged for certain.
    """
    with PowerCutDisk.new(folder) as disk:
        books = Books(disk.data)
        with running_receiver(disk.data, prelude=prelude, DLR_TRUSTED_PROXIES=PROXIES) as live:
            with load(live, chance.getrandbits(32)) as answers:
                wait_for_first(answers)
                time.sleep(chance.uniform(0, LONGEST_LOAD_S))
                if not prelude:
                    acknowledged = answers.acknowledged.copy()
                    disk.cut()
            if prelude:
                acknowledged = answers.acknowledged
                disk.cut()
            live.process.kill()
        books.strange += answers.odd
        disk.restore()
        left = left_behind(disk.data)
        with running_receiver(disk.data, DLR_TRUSTED_PROXIES=PROXIES) as live:
            books.check_swept(left)
            books.audit(acknowledged)
            assert push(live, b"sms_status=after").body == b"SUCCESS"
    return books
