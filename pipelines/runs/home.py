"""Where Dagster's instance lies; does without Dagster, so that `dlr up` stays small."""

import json
import os
from pathlib import Path

from contract.errors import UserError
from contract.settings import Settings

_ROOT = Path(__file__).resolve().parents[2]


class InstanceError(UserError):
    """Dagster's instance cannot be made or written to."""


def prepare_instance(settings: Settings) -> Path:
    """Make ``$DLR_DATA/dagster`` the home of Dagster, for this process and its children."""
    home = settings.data.absolute() / "dagster"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = _instance_file().read_text(encoding="utf-8")
    quoted = json.dumps(str(home))[1:-1]
    (home / "dagster.yaml").write_text(config.replace("$DAGSTER_HOME", quoted), encoding="utf-8")
    os.environ |= {
        "DLR_DATA": str(settings.data.absolute()),
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    return home


def _instance_file() -> Path:
    """``dagster.yaml``: at the root of a checkout, in the package when installed."""
    for path in (_ROOT / "dagster.yaml", _ROOT / "pipelines" / "dagster.yaml"):
        if path.exists():
            return path
    raise InstanceError(f"dagster.yaml is missing from {_ROOT}; reinstall dlr.")
