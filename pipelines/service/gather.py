"""Takes a look: asks the receiver, the webserver and the disk. Nothing it meets is an error."""

import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from contract.problems import PIPELINE_FILE, read_problems, service_folder
from contract.settings import Settings, split_bind
from pipelines.service.dagster_state import read_dagster_state
from pipelines.service.look import Look, Part, Room

_TIMEOUT_S = 6.0
"""`readyz` itself waits 5 s for a slow disk."""
_HORIZON = re.compile(rb"^dlr_landing_data_loss_horizon_seconds (\S+)$", re.MULTILINE)
_LANDED = re.compile(rb'^dlr_receiver_requests_total\{outcome="landed"\} (\S+)$', re.MULTILINE)


def gather(
    settings: Settings,
    parts: Mapping[str, Part],
    ticking_since: datetime | None = None,
) -> Look:
    """Look once; takes up to 20 s where parts do not answer.

    ``ticking_since`` is when the daemon was started, if it was.
    """
    at = datetime.now(UTC)
    dagster = read_dagster_state(ui_url(settings))
    metrics = _metrics(settings)
    return Look(
        at=at,
        parts=dict(parts),
        unready=trouble_of(settings),
        horizon_s=_figure(metrics, _HORIZON),
        pushes=_figure(metrics, _LANDED),
        sensor_on=dagster.sensor_on if dagster else None,
        ticking_since=ticking_since,
        schedules=dagster.schedules if dagster else {},
        tick=dagster.tick if dagster else None,
        runs=tuple(dagster.runs) if dagster else (),
        landing_room=room_of(settings.landing),
        heartbeat=dagster.heartbeat if dagster else None,
        pipeline=read_problems(service_folder(settings.data), PIPELINE_FILE),
    )


def receiver_url(settings: Settings) -> str:
    """Where the receiver of this machine answers, without a slash at the end."""
    return _url_of(settings.bind)


def ui_url(settings: Settings) -> str:
    """Where the UI of this machine answers, with its prefix, without a slash at the end."""
    return _url_of(settings.ui_bind) + settings.ui_path_prefix


def _url_of(bind: str) -> str:
    host, port = split_bind(bind)
    if host in ("0.0.0.0", "::"):  # noqa: S104
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def trouble_of(settings: Settings) -> str | None:
    """What `readyz` says where it answers 503."""
    try:
        _get(f"{receiver_url(settings)}/readyz")
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode(errors="replace").strip()
    except (OSError, ValueError):
        pass  # not alive, which is seen elsewhere
    return None


def _metrics(settings: Settings) -> bytes:
    try:
        return _get(f"{receiver_url(settings)}/metrics")
    except (OSError, ValueError):
        return b""


def _figure(metrics: bytes, pattern: re.Pattern[bytes]) -> float | None:
    figure = pattern.search(metrics)
    return float(figure[1]) if figure else None


def answers(url: str, timeout_s: float) -> bool:
    """Whether a GET of one of our own URLs is answered without an error."""
    try:
        _get(url, timeout_s)
    except (OSError, ValueError):
        return False
    return True


def _get(url: str, timeout_s: float = _TIMEOUT_S) -> bytes:
    with urllib.request.urlopen(url, timeout=timeout_s) as response:  # noqa: S310  our own URL
        return bytes(response.read())


def room_of(folder: Path) -> Room | None:
    """Room on the disk of ``folder``, or of the nearest folder above that exists."""
    try:
        place = next(path for path in (folder, *folder.parents) if path.exists())
        state = os.statvfs(place)
    except OSError:
        return None
    return Room(
        free_bytes=state.f_bavail * state.f_frsize,
        total_bytes=state.f_blocks * state.f_frsize,
        free_inodes=state.f_favail,
        total_inodes=state.f_files,
    )
