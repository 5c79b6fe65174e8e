"""`dlr serve`: the receiver alone."""

import argparse

from cli.instance import private_files
from ingest.server import serve
from ingest.settings import load_settings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of the command; all else are settings."""
    parser.add_argument("--bind", metavar="HOST:PORT", help="instead of DLR_BIND")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    private_files()
    overrides = {"bind": arguments.bind} if arguments.bind else {}
    return serve(load_settings(**overrides))
