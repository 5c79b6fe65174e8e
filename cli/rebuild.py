"""`dlr rebuild`: throw the warehouse away, make it anew from the landed files."""

import argparse
import secrets

from rich.console import Console

from cli.bars import byte_bar
from cli.instance import private_files
from ingest.settings import load_settings
from pipelines.rebuild import Rebuilt, rebuild


def add_options(parser: argparse.ArgumentParser) -> None:
    """No options: everything is rebuilt."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001
    """Rebuild and compare the fingerprints."""
    private_files()
    settings = load_settings()
    with byte_bar(Console(stderr=True), "Rebuilding from landed files") as advance:
        done = rebuild(settings, f"rebuild-{secrets.token_hex(4)}", advance)
    print(summary(done))
    return 0


def summary(done: Rebuilt) -> str:
    """What came out, and whether it is what was there."""
    if done.after is None:
        return "There is no landed file; the warehouse is empty."
    after = done.after
    lines = [
        f"Rebuilt from {after['files']:,} files: {after['records']:,} records, "
        f"{after['messages']:,} messages, {after['rejected']:,} rejected. Ledger balanced; "
        "published.",
        f"fingerprint {after['fingerprint']}",
    ]
    if done.before is None:
        lines.append("There was no earlier warehouse that could be read, to compare with.")
    elif done.before["fingerprint"] == after["fingerprint"]:
        lines.append("The same as before.")
    else:
        lines.append(f"Before it was {done.before['fingerprint']}: {_why(done.before, after)}.")
    return "\n".join(lines)


def _why(before: dict[str, object], after: dict[str, object]) -> str:
    reasons = [
        text
        for name, text in {
            "total_records": "the landed files hold more or fewer records",
            "provider_timezone": "DLR_PROVIDER_TIMEZONE was changed",
            "reference_version": "the reference data was changed",
        }.items()
        if before[name] != after[name]
    ]
    return ", ".join(reasons) or "the old warehouse did not hold what the landed files say"
