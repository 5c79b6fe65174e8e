"""`dlr up`: the receiver first, the pipeline as soon as there is room for it, all of it kept alive.

The receiver depends on nothing but a port. What Dagster needs (a home, a workspace file) is made
when the disk has room; until then only the receiver runs, and answers 503.
"""

import errno
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

from filelock import FileLock, Timeout

from contract.errors import UserError
from contract.problems import UP_FILE, service_folder, write_json
from contract.settings import Settings
from pipelines.runs.home import missing_in, prepare_instance
from pipelines.service import parts
from pipelines.service.child import Child, Say
from pipelines.service.gather import gather, receiver_url, room_of, ui_url
from pipelines.service.look import Look
from pipelines.service.looking import Looking
from pipelines.service.notify import ALIVE, READY, STOPPING, notify
from pipelines.service.pipeline import Pipeline
from pipelines.service.signals import waking
from pipelines.service.times import Times

FLOOR_BYTES = 64 * 1024**2
"""Below this the receiver refuses pushes, and the pipeline is not started."""
_TURN_S = 1.0
_TRY_AGAIN_S = 5.0
_KILLED = (
    "`dlr up` had ended without being asked to, and was started again. In between no push could be "
    "received. The journal or `dmesg` may say why."
)
_FULL = (errno.ENOSPC, errno.EDQUOT)


class AlreadyUpError(UserError):
    """Another `dlr up` runs on the data folder."""


class Supervisor:
    """Everything under one `dlr up`; ``say`` prints a line of what happens, `show` a plain one.

    The receiver may be somebody else's: of another service or another machine.
    """

    def __init__(
        self,
        settings: Settings,
        say: Say,
        show: Say,
        times: Times,
        *,
        receives: bool = True,
    ) -> None:
        self._settings = settings
        self._say = say
        self._show = show
        self._times = times
        self._folder = service_folder(settings.data)
        self._receiver = parts.receiver(settings, say, times) if receives else None
        self._pipeline: Pipeline | None = None
        self._signals: list[int] = []
        self._shown: set[str] = set()
        self._try_at = 0.0
        self._judged: Look | None = None
        self._killed_before = (self._folder / UP_FILE).exists()
        self._started = time.monotonic()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock of the one `dlr up` of a data folder; raises AlreadyUpError.

        On a full disk, do without.
        """
        lock = FileLock(self._folder / "up.lock", timeout=1)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire()
        except Timeout:
            raise AlreadyUpError(
                f"`dlr up` already runs on {self._folder.parent}; stop it first, or set DLR_DATA."
            ) from None
        except OSError as error:
            if error.errno not in _FULL:
                raise
        try:
            yield
        finally:
            lock.release()

    def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP; a second one kills what has not stopped yet."""
        with waking(self._signals) as wait:
            looking = Looking(self._settings, self._gather, self._say, self._times)
            looking.start()
            try:
                while not self._signals:
                    self._turn(looking)
                    wait(_TURN_S if "ui" in self._shown else 0.2)
            finally:
                notify(STOPPING)
                looking.hush()
                self._stop()
                looking.stop()
        with suppress(OSError):
            (self._folder / UP_FILE).unlink(missing_ok=True)

    def _turn(self, looking: Looking) -> None:
        notify(ALIVE)
        if self._receiver:
            self._receiver.tend()
        if self._pipeline is None and time.monotonic() >= self._try_at:
            self._try_at = time.monotonic() + _TRY_AGAIN_S
            self._pipeline = self._prepare_pipeline()
        if self._pipeline:
            self._pipeline.tend()
            if looking.latest and looking.latest is not self._judged:
                self._judged = looking.latest
                self._pipeline.judge(self._judged, has_room=self._has_room())
        self._show_start()

    def _prepare_pipeline(self) -> Pipeline | None:
        """Make what Dagster needs; None where the disk has no room for it."""
        try:
            home = prepare_instance(self._settings)
            started = {"pid": os.getpid(), "started_at": datetime.now(UTC).isoformat()}
            write_json(self._folder / UP_FILE, started | {"version": version("dlr")})
            if self._has_room():
                for sentence in missing_in(home):
                    self._say(sentence)
                return Pipeline(self._settings, home, self._say, self._times)
        except OSError as error:
            trouble = f"{error.strerror} ({error.filename})"
        else:
            trouble = "the disk is full"
        if "waits" not in self._shown:
            self._shown.add("waits")
            self._say(f"Only the receiver runs until this is over: {trouble}.")
        return None

    def _has_room(self) -> bool:
        room = room_of(self._settings.data.absolute())
        return room is None or room.free_bytes >= FLOOR_BYTES

    def _children(self) -> dict[str, Child]:
        receiver = {"receiver": self._receiver} if self._receiver else {}
        return receiver | (self._pipeline.children if self._pipeline else {})

    def _gather(self) -> Look:
        """Called by the looking thread."""
        states = {name: child.part for name, child in self._children().items()}
        since = self._pipeline.ticking_since if self._pipeline else None
        look = gather(self._settings, states, since)
        # shown for as long as it takes to be an alert
        news_s = self._times.begin_s + 4 * self._times.look_s
        if self._killed_before and time.monotonic() - self._started < news_s:
            return replace(look, killed_up=_KILLED)
        return look

    def _show_start(self) -> None:
        """Say where everything is, as soon as it is there."""
        children = self._children()
        if "receiver" not in self._shown and (
            self._receiver.part.answers if self._receiver else self._pipeline
        ):
            self._shown.add("receiver")
            notify(READY)
            if self._receiver:
                self._show(f"Push URL    {receiver_url(self._settings)}/yunpian/status/<token>")
            self._show(f"Data        {self._settings.data.absolute()}")
        if "ui" not in self._shown and "ui" in children and children["ui"].part.answers:
            self._shown.add("ui")
            self._show(f"Dagster UI  {ui_url(self._settings)}")
            self._show("Ctrl-C stops everything.")

    def _stop(self) -> None:
        """Ask all to stop and wait; at another signal, or after a time, kill them."""
        children = list(self._children().values())
        recovery = self._pipeline.recovery if self._pipeline else None
        for child in children:
            child.ask_to_stop(signal.SIGTERM if child is self._receiver else signal.SIGINT)
        if recovery:
            recovery.stop(signal.SIGKILL)  # it may be importing, deaf to anything else
        deadline = time.monotonic() + self._times.stop_s
        asked = len(self._signals)
        while any(child.process and child.process.poll() is None for child in children):
            if time.monotonic() > deadline or len(self._signals) > asked:
                break
            time.sleep(0.05)
        for child in children:
            child.wait(0.0)
        if self._pipeline:
            self._pipeline.history.close()
