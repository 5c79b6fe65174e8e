"""`dlr serve`: the receiver alone."""

import argparse

from cli.common import CommandError
from contract.settings import load_settings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of the command; everything else is a setting."""
    parser.add_argument("--bind", metavar="HOST:PORT", help="listen here instead of at DLR_BIND")
    parser.add_argument(
        "--workers", metavar="N", type=int, default=1, help="receiver processes on the port (1)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    settings = load_settings(**({"bind": arguments.bind} if arguments.bind else {}))
    if arguments.workers < 1:
        raise CommandError("--workers must be 1 or more.")
    if arguments.workers == 1:
        from ingest.server import serve

        return serve(settings)
    # The supervisor serves nothing itself and stays small without the server's modules.
    from ingest.workers import serve as serve_with

    return serve_with(settings, arguments.workers)
