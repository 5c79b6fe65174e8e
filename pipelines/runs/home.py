"""Where Dagster's instance lies; does without Dagster, so that `dlr up` stays small."""

import json
import os
import re
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import yaml

from contract.errors import UserError
from contract.settings import Settings

_ROOT = Path(__file__).resolve().parents[2]
_OWN = {
    "049c7ea4cfed548a47ffdece6efbe56261fd24f218777e1988a0a930b2bd150b",
    "939464a9ac902b846475fd842eb9272596cb2677a2042e287edf1a5b1628f610",
    "db446f792fc4abb3a08f52b619468a7772161526356af5fb41197ed5601a6411",
    "ccc075d963c02cd3bc687242f0d59ac8e7047d170eb0fdb47c40b444ea9475a2",
}
"""Digests (SHA-256) of the files that earlier versions wrote, which nobody has edited."""
_OLD_PLACE = re.compile(r'(?<=base_dir: ")[^"\n]*(?=/history/runs")')
_STORAGE = re.compile(r"^( *)class: (Storage|ArtifactStorage)$", re.MULTILINE)
_PLACE = re.compile(r'(?<=\n)( +config:\n +home: )"(?:[^"\\\n]|\\.)*"\n')
"""What `dlr` adds to each class of storage in its copy."""


class InstanceError(UserError):
    """Dagster's instance cannot be made or written to."""


def prepare_instance(settings: Settings) -> Path:
    """Make ``$DLR_DATA/dagster`` the home of Dagster, for this process and its children.

    Writes ``dagster.yaml`` unless there is one that somebody has edited; of that, only the folder's
    own place is kept up to date. Raises InstanceError where it, or what is installed, cannot do
    what the settings ask for.
    """
    check_driver(settings)
    home = settings.data.absolute() / "dagster"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    config, file = _instance_file().read_text(encoding="utf-8"), home / "dagster.yaml"
    present = file.read_text(encoding="utf-8") if file.exists() else None
    place = json.dumps(str(home), ensure_ascii=False)
    if present is None or _is_own(present):
        wanted = _placed(config, place)
    else:
        wanted = _PLACE.sub(lambda found: f"{found[1]}{place}\n", present)
    if wanted != present:
        file.write_text(wanted, encoding="utf-8")
    if settings.dagster_storage and not _has_storage(wanted):
        raise InstanceError(
            f"DLR_DAGSTER_STORAGE has no effect because {file} was edited and lacks the section "
            f"`storage` of {_instance_file()}; copy it from there."
        )
    os.environ |= {
        "DLR_DATA": str(settings.data.absolute()),
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    if settings.dagster_storage:
        os.environ["DLR_DAGSTER_STORAGE"] = settings.dagster_storage.get_secret_value()
    return home


def missing_in(home: Path) -> Iterator[str]:
    """What an edited ``dagster.yaml`` lacks, each in a sentence."""
    file = home / "dagster.yaml"
    try:
        present = file.read_text(encoding="utf-8")
    except OSError:
        return
    if _is_own(present):
        return
    where = f"{file} was edited and lacks"
    if not _has_storage(present):
        yield f"{where} the section `storage` of {_instance_file()}: history may grow for ever."
    config = _parsed(present)
    runs = (config.get("concurrency") or {}).get("runs") or {}
    if runs.get("max_concurrent_runs") != 1:
        yield f"{where} `concurrency: runs: max_concurrent_runs: 1`: runs may fail of each other."


def check_driver(settings: Settings) -> None:
    """Raise InstanceError where the library for PostgreSQL is asked for and missing."""
    try:
        is_missing = find_spec("dagster_postgres") is None
    except ValueError:  # somebody has shut it out
        is_missing = True
    if settings.dagster_storage and is_missing:
        raise InstanceError(
            "DLR_DAGSTER_STORAGE needs the library for PostgreSQL: pip install 'dlr[postgres]'."
        )


def _placed(config: str, place: str) -> str:
    """The file for a copy, which names its place: whoever opens it need not know the settings."""
    lines = r"\g<0>\n\1config:\n\1  home: "
    return _STORAGE.sub(lambda found: found.expand(lines) + place, config)


def _is_own(text: str) -> bool:
    """Whether `dlr` wrote this, perhaps an earlier version or for a folder in another place."""
    original = _PLACE.sub("", _OLD_PLACE.sub("$DAGSTER_HOME", text))
    config = _instance_file().read_text(encoding="utf-8")
    return original == config or sha256(original.encode()).hexdigest() in _OWN


def _has_storage(text: str) -> bool:
    storage = _parsed(text).get("storage") or {}
    custom = storage.get("custom") or {}
    return bool(custom.get("module") == "pipelines.runs.storage")


def _parsed(text: str) -> dict[str, dict[str, dict[str, object]]]:
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}  # Dagster says where it is wrong
    return parsed if isinstance(parsed, dict) else {}


def _instance_file() -> Path:
    """``dagster.yaml``: at the root of a checkout, in the package when installed."""
    for path in (_ROOT / "dagster.yaml", _ROOT / "pipelines" / "dagster.yaml"):
        if path.exists():
            return path
    raise InstanceError(f"dagster.yaml is missing from {_ROOT}; reinstall dlr.")
