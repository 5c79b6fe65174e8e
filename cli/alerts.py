"""`dlr alerts test`: send a test alert to every target."""

import argparse

from cli.common import CommandError
from contract.settings import load_settings
from pipelines.service.alerts.message import secrets_of, trial_message, without_secrets
from pipelines.service.alerts.target import DeliveryError
from pipelines.service.alerts.targets import targets_of


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to do with the targets."""
    parser.add_argument("action", choices=["test"], help="send a test alert to every target")


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001
    """Try each target and say what happened; exits 1 if one failed."""
    settings = load_settings()
    targets = targets_of(settings)
    if not targets:
        raise CommandError("There is no target: set DLR_ALERT_WEBHOOK, or DLR_ALERT_EMAIL.")
    secrets, failed = secrets_of(settings), 0
    for target in targets:
        try:
            outcome = f"{target.send(trial_message())}."
        except DeliveryError as error:
            failed += 1
            outcome = f"FAILED, {error}."
        print(without_secrets(f"{target.name}: {outcome}", secrets))
    return 1 if failed else 0
