"""`dlr up`: receiver and Dagster together in one terminal, until Ctrl-C."""

import argparse
import socket
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from cli.common import CommandError
from contract.settings import load_settings, split_bind
from pipelines.folder.format import expect
from pipelines.service.supervisor import Supervisor
from pipelines.service.times import Times

TIMES = Times()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where the UI listens, and what to leave out."""
    parser.add_argument(
        "--no-receiver",
        action="store_true",
        help="only the pipeline and its UI; the receiver runs elsewhere (`dlr serve`)",
    )
    parser.add_argument("--ui-port", type=int, help="port of the Dagster UI, instead of 3000")


def run(arguments: argparse.Namespace) -> int:
    """Keep all parts running until Ctrl-C or SIGTERM; that is its normal end."""
    settings = load_settings()
    if arguments.ui_port is not None:
        ui_host = settings.ui_bind.rpartition(":")[0]
        settings = load_settings(ui_bind=f"{ui_host}:{arguments.ui_port}")
    ui_address = split_bind(settings.ui_bind)
    receives = not arguments.no_receiver
    if receives and not settings.push_tokens:
        raise CommandError("DLR_PUSH_TOKENS is not set; the receiver needs at least one token.")
    if receives and settings.port == 0:
        raise CommandError("DLR_BIND must name a port other than 0.")
    if ui_address[1] == 0:
        raise CommandError("DLR_UI_BIND must name a port other than 0.")
    expect(settings, oldest=1)
    times = replace(TIMES, run_s=min(TIMES.run_s, settings.max_run_s))
    supervisor = Supervisor(settings, _say, _show, times, receives=receives)
    with supervisor.alone():
        if receives:
            _expect_free(settings.host, settings.port, "Choose another in DLR_BIND")
        _expect_free(*ui_address, "Choose another with --ui-port, or in DLR_UI_BIND")
        supervisor.run()
    _show("Stopped.")
    return 0


def _say(line: str) -> None:
    """Print a line of what has happened, with its time."""
    _show(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}  {line}")


def _show(line: str) -> None:
    """Print a line; a full disk or a closed terminal behind it must not end anything."""
    with suppress(OSError):
        print(line, flush=True)


def _expect_free(host: str, port: int, advice: str) -> None:
    """Raise CommandError where a port cannot be bound."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        raise CommandError(
            f"Cannot use port {port} on {host}: {error.strerror}. {advice}."
        ) from error
