"""`dlr status`: how things stand; exits 1 if action is required."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime

from rich.filesize import decimal

from cli.common import accounted, age_text, counted
from contract.settings import load_settings
from pipelines.runs.status import Status, read_status
from pipelines.service.state import present_problems


def add_options(parser: argparse.ArgumentParser) -> None:
    """Output format."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the state of the data folder."""
    settings = load_settings()
    status = read_status(settings)
    status.named_problems = present_problems(settings, status.named_problems)
    if arguments.json:
        shown = asdict(status) | {"problems": status.problems}
        print(json.dumps(shown, default=str, ensure_ascii=False, indent=1))
    else:
        print("\n".join(lines(status)))
    return 1 if status.problems else 0


def lines(status: Status) -> list[str]:
    """The state in words, problems last."""
    figures = {
        "landed": f"{counted(status.landed_files, 'file')}, {decimal(status.landed_bytes)}",
        "pending": _pending(status),
        **_processed(status),
        **_sends(status),
        "published": _published(status),
    }
    out = [f"{name:<13}{text}" for name, text in figures.items()]
    if status.problems:
        out += ["", "Action required:", *(f"  {problem}" for problem in status.problems)]
    return out


def _pending(status: Status) -> str:
    if status.busy:
        return "a run is in progress; try again when it has finished"
    if not status.pending_files:
        return "nothing"
    age = f", oldest {age_text(status.oldest_pending_s)}" if status.oldest_pending_s else ""
    return f"{counted(status.pending_files, 'file')}, {decimal(status.pending_bytes)}{age}"


def _processed(status: Status) -> dict[str, str]:
    last = status.ledger
    if not last:
        return {} if status.busy else {"processed": "nothing yet"}
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in status.rejected.items())
    quarantined = len(status.quarantined)
    return {
        "processed": f"{accounted(last, 'total_')}; "
        + ("balanced" if last["balanced"] else "NOT balanced"),
        "rejected": reasons or "nothing",
        "quarantined": counted(quarantined, "file") if quarantined else "nothing",
    }


def _sends(status: Status) -> dict[str, str]:
    """The send log, where there is one."""
    if not status.send_files and not status.sends:
        return {}
    pending = f", {status.pending_sends:,} pending" if status.pending_sends else ""
    by_sid, by_uid, without = (status.sends.get(key, 0) for key in ("sid", "uid", "none"))
    others = {
        "ambiguous": status.sends.get("ambiguous", 0),
        "repeated": status.sends.get("repeated", 0),
        **status.rejected_sends,
    }
    rest = "".join(f", {count:,} {name}" for name, count in others.items() if count)
    return {
        "send log": f"{counted(status.send_files, 'file')}{pending}: "
        f"{counted(by_sid + by_uid + without, 'send')}, {by_sid + by_uid:,} with a report, "
        f"{without:,} without{rest}"
    }


def _published(status: Status) -> str:
    at, as_of = (status.published.get(f"{name}_utc") for name in ("published_at", "as_of"))
    if not at:
        return "nothing yet"
    behind = ""
    if as_of:
        age = datetime.now(UTC).replace(tzinfo=None) - datetime.fromisoformat(str(as_of))
        behind = f"; as of {as_of}Z, {age_text(age.total_seconds())} ago"
    return f"at {at}Z{behind}; fingerprint {status.published.get('fingerprint')}"
