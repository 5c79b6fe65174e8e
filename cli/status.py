"""`dlr status`: how things stand; exits 1 if something needs a person."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime

from contract.settings import load_settings
from pipelines.runs.status import Status, read_status


def add_options(parser: argparse.ArgumentParser) -> None:
    """Output format."""
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print the state of the data folder."""
    settings = load_settings()
    status = read_status(settings)
    if arguments.json:
        print(json.dumps(asdict(status), default=str, ensure_ascii=False, indent=1))
    else:
        print("\n".join(lines(status)))
    return 1 if status.problems else 0


def lines(status: Status) -> list[str]:
    """The state in words, problems last."""
    figures = {
        "landed": f"{status.landed_files:,} files, {_size(status.landed_bytes)}",
        "pending": _pending(status),
        **_processed(status),
        **_sends(status),
        "published": _published(status),
    }
    out = [f"{name:<13}{text}" for name, text in figures.items()]
    if status.problems:
        out += ["", "Needs a person:", *(f"  {problem}" for problem in status.problems)]
    return out


def _pending(status: Status) -> str:
    if status.busy:
        return "a run is on; ask again when it is done"
    if not status.pending_files:
        return "nothing"
    age = f", the oldest {status.oldest_pending_s:,.0f} s old" if status.oldest_pending_s else ""
    return f"{status.pending_files:,} files, {_size(status.pending_bytes)}{age}"


def _processed(status: Status) -> dict[str, str]:
    last = status.ledger
    if not last:
        return {} if status.busy else {"processed": "nothing yet"}
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in status.rejected.items())
    files = f"{len(status.quarantined):,} files" if status.quarantined else "nothing"
    return {
        "processed": f"{last['total_records']:,} records: {last['total_messages']:,} messages, "
        f"{last['total_duplicates']:,} duplicates, {last['total_conflicts']:,} conflicts, "
        f"{last['total_rejected']:,} rejected; "
        + ("balanced" if last["balanced"] else "NOT balanced"),
        "rejected": reasons or "nothing",
        "quarantined": files,
    }


def _sends(status: Status) -> dict[str, str]:
    """The send log, where there is one."""
    if not status.send_files and not status.sends:
        return {}
    pending = f", {status.pending_sends:,} pending" if status.pending_sends else ""
    found = {name: status.sends.get(name, 0) for name in ("sid", "uid", "none")}
    others = {
        "ambiguous": status.sends.get("ambiguous", 0),
        "repeated": status.sends.get("repeated", 0),
        **status.rejected_sends,
    }
    aside = "".join(f", {count:,} {name}" for name, count in others.items() if count)
    return {
        "send log": f"{status.send_files:,} files{pending}: {sum(found.values()):,} sends, "
        f"{found['sid'] + found['uid']:,} with a report, {found['none']:,} without{aside}"
    }


def _published(status: Status) -> str:
    at = status.published.get("published_at_utc")
    if not at:
        return "nothing yet"
    as_of = status.published.get("as_of_utc")
    behind = f"; as of {as_of}Z, {_ago(str(as_of))}" if as_of else ""
    return f"at {at}Z{behind}; fingerprint {status.published.get('fingerprint')}"


def _ago(time: str) -> str:
    seconds = (
        datetime.now(UTC).replace(tzinfo=None) - datetime.fromisoformat(time)
    ).total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 7200 else f"{seconds / 3600:.1f} h ago"


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
