"""What is wrong, told from one look: pure functions, and the limits they go by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.problems import Problem
from contract.settings import Settings
from pipelines.service.look import Look, Room, Run

_MIB = 1024**2
_SHARE = 20
"""A disk is almost full with a 20th of it free, within these bounds."""
_BYTES = (128 * _MIB, 5_120 * _MIB)
"""The receiver refuses pushes below 64 MiB."""
_INODES = (5_000, 100_000)
_FAILED = ("FAILURE", "CANCELED")

_PARTS = {
    "receiver": ("receiver_down", "The receiver does not answer"),
    "code_server": ("code_server_down", "Dagster's code server does not answer"),
    "daemon": ("daemon_down", "Dagster's daemon does not run"),
    "ui": ("ui_down", "The Dagster UI does not answer"),
}

OF_DISK = frozenset({"disk_bytes", "disk_inodes"})
OF_PIPELINE = frozenset(
    {
        "no_pushes",
        "check_failed",
        "ledger_unbalanced",
        "quarantined_files",
        "landed_files_waiting",
        "publication_stale",
        "manifest_unreadable",
        "report_failed",
        "outdated_tables",
        "outdated_decoding",
    }
)
"""Known to the pipeline alone, from its tables; they come by ``pipeline.json``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something is a problem; tests scale the times down."""

    down: timedelta = timedelta(seconds=20)
    """How long a part may be silent; a restart is faster."""
    start: timedelta = timedelta(seconds=120)
    """How long a part may take from `dlr up` to its first answer."""
    tick: timedelta = timedelta(minutes=3)
    """Age of the sensor's newest tick; it looks every 45 s."""
    failed_runs: int = 3
    """Runs in a row."""
    run: timedelta = timedelta(hours=1)
    """Longest run."""
    refusing: timedelta = timedelta(seconds=60)
    """How long pushes may fail, of the 10 minutes within which the provider pushes again."""

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Those of the settings."""
        return cls(run=timedelta(seconds=settings.max_run_s))


RETRIES_END = timedelta(minutes=10)
"""After this time the provider gives up on a push; as in ``ingest.metrics``."""


def problems_of(look: Look, limits: Limits) -> list[Problem]:
    """Every problem that a look shows, each name at most once."""
    return [
        *_parts(look, limits),
        *_receiving(look, limits),
        *_switches(look),
        *_ticks(look, limits),
        *run_problems(look.runs, look.at, limits),
        *room_problems(look.landing_room),
        *(look.pipeline.problems if look.pipeline else ()),
    ]


def run_problems(runs: Sequence[Run], at: datetime, limits: Limits) -> Iterator[Problem]:
    """What is wrong with the newest runs of `refresh`, the newest first."""
    ended = [run for run in runs if run.ended_at]
    failed = next((n for n, run in enumerate(ended) if run.status not in _FAILED), len(ended))
    if failed >= limits.failed_runs:
        yield Problem(
            "runs_failing",
            f"The last {failed} runs failed, the newest is {ended[0].run_id[:8]}. `dlr run` tries "
            "again and names the cause; the log is in the Dagster UI.",
        )
    for run in [run for run in runs if not run.ended_at] + ended[:1]:
        took = (run.ended_at or at) - run.started_at if run.started_at else timedelta()
        if took > limits.run:
            verb = "took" if run.ended_at else "has taken"
            yield Problem(
                "run_too_long",
                f"Run {run.run_id[:8]} {verb} {_minutes(took)}, longer than {_minutes(limits.run)} "
                "(DLR_MAX_RUN_S). If the backlog is large, let it work; otherwise look at its log.",
            )
            return


def room_problems(room: Room | None) -> Iterator[Problem]:
    """What is wrong with the room on the landing disk."""
    if room is None:
        return
    if room.total_bytes and room.free_bytes < _least(room.total_bytes, _BYTES):
        yield Problem(
            "disk_bytes",
            f"The disk of the landing folder has {room.free_bytes / _MIB:,.0f} MiB free of "
            f"{room.total_bytes / _MIB:,.0f}; below 64 MiB pushes are refused. Make room.",
        )
    if room.total_inodes and room.free_inodes < _least(room.total_inodes, _INODES):
        yield Problem(
            "disk_inodes",
            f"The disk of the landing folder has {room.free_inodes:,} inodes free of "
            f"{room.total_inodes:,}; without one no file can be made. Delete small files or move "
            "the folder to a larger disk.",
        )


def _least(total: int, bounds: tuple[int, int]) -> int:
    least, most = bounds
    return min(max(total // _SHARE, least), most)


def _parts(look: Look, limits: Limits) -> Iterator[Problem]:
    if look.killed_up:
        yield Problem("up_killed", look.killed_up)
    for name, part in look.parts.items():
        silent = look.at - part.since
        if not part.answers and silent > (limits.down if part.has_answered else limits.start):
            problem, sentence = _PARTS[name]
            trouble = f" ({part.trouble})" if part.trouble else ""
            yield Problem(
                problem,
                f"{sentence}{trouble}. `dlr up` keeps restarting it; see its log in the data "
                "folder.",
            )


def _receiving(look: Look, limits: Limits) -> Iterator[Problem]:
    if look.unready:
        yield Problem("receiver_unready", f"The receiver refuses pushes: {look.unready}.")
    failing = timedelta()
    receiver = look.parts.get("receiver")
    if receiver and not receiver.answers and receiver.has_answered:
        failing = look.at - receiver.since
    elif look.horizon_s is not None:
        failing = RETRIES_END - timedelta(seconds=look.horizon_s)
    if failing > limits.refusing:
        left = max(timedelta(), RETRIES_END - failing)
        yield Problem(
            "data_loss_horizon",
            f"No push was accepted for some time; {_minutes(left)} are left until the provider "
            "gives up on reports, which are lost then. Make the receiver accept pushes.",
        )


def _switches(look: Look) -> Iterator[Problem]:
    if look.sensor_on is False:
        yield Problem(
            "sensor_off",
            "The sensor landed_files_sensor is switched off, so figures are up to an hour late. "
            "Switch it on in the Dagster UI under Automation.",
        )
    off = sorted(name for name, is_on in look.schedules.items() if not is_on)
    if off:
        yield Problem(
            "schedule_off",
            f"Switched off: {', '.join(off)}. Switch it on in the Dagster UI under Automation.",
        )


def _ticks(look: Look, limits: Limits) -> Iterator[Problem]:
    if not look.sensor_on or look.ticking_since is None:
        return
    last = max(look.ticking_since, look.tick.at) if look.tick else look.ticking_since
    if look.at - last > limits.tick:
        yield Problem(
            "no_tick",
            f"The sensor has not looked for {_minutes(look.at - last)}. `dlr up` restarts code "
            "server and daemon; see their logs in the data folder.",
        )


def _minutes(time: timedelta) -> str:
    seconds = time.total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def unjudged(look: Look) -> frozenset[str]:
    """Names of which this look says nothing, neither that they are there nor that they are over."""
    unseen: set[str] = set()
    if look.sensor_on is None:
        unseen |= {"sensor_off", "no_tick"}
    if not look.schedules:
        unseen.add("schedule_off")
    if not look.runs:
        unseen |= {"runs_failing", "run_too_long"}
    if look.landing_room is None:
        unseen |= OF_DISK
    receiver = look.parts.get("receiver")
    if receiver is None or not receiver.answers:
        unseen.add("receiver_unready")
    if look.horizon_s is None and (receiver is None or not receiver.has_answered):
        unseen.add("data_loss_horizon")
    if look.pipeline is None:
        unseen |= OF_PIPELINE
    unseen |= {problem for part, (problem, _) in _PARTS.items() if part not in look.parts}
    return frozenset(unseen)
