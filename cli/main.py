"""Entry point of the `dlr` command: reads the words, calls one module."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from contract.errors import UserError

COMMANDS = {
    "demo": "push simulated traffic through the whole pipeline and print a report",
    "serve": "run the receiver alone",
    "run": "process everything pending now",
    "up": "run the receiver and Dagster (UI, schedules) together, until Ctrl-C",
    "simulate": "act as the provider: push simulated traffic at a receiver",
    "sends": "import the send log, which adds rates per message sent, and latencies",
    "status": "show what is landed, pending, processed, published; exits 1 if action is required",
    "alerts": "send a test alert to every target (`dlr alerts test`)",
    "verify": "recount everything from the raw bytes and compare",
    "rebuild": "rebuild the warehouse from the landed files, or from a landing day on",
    "compact": "compact the landed files of finished days, one compressed file per day",
    "report": "write figures and charts for a range of days to one HTML file",
    "sql": "query the published database",
    "model": "list the models, run one alone over the data at hand, run their unit tests",
}
READERS = frozenset({"report", "sql", "status", "verify"})
"""Commands that only read the data folder; they do not upgrade one of an earlier version."""

_ROOMS = frozenset({"cli", "contract", "ingest", "pipelines", "simulator"})


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The command line; only the module of the given command is imported, to add its options."""
    main_parser = argparse.ArgumentParser(
        prog="dlr",
        description="SMS delivery reports: receive every push, lose none, prove the numbers.",
        epilog="Settings are environment variables (a .env file is read): see docs/settings.md.",
    )
    main_parser.add_argument("--version", action="version", version=f"dlr {version('dlr')}")
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary}.")
        if name in words[:1]:
            importlib.import_module(f"cli.{name}").add_options(command)
    return main_parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; an expected error becomes one sentence and exit status 1."""
    words = sys.argv[1:] if words is None else words
    os.umask(0o077)  # every file of ours is readable by its owner only
    try:
        arguments = parser(words).parse_args(words)
        if arguments.command in READERS:
            from contract.settings import load_settings
            from pipelines.folder.format import expect

            expect(load_settings())
        status = int(importlib.import_module(f"cli.{arguments.command}").run(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except RuntimeError as error:
        # DuckDB turns a Ctrl-C amid a query into this
        if "Query interrupted" not in str(error):
            raise
        return 130
    except BrokenPipeError:
        # The reader has closed the pipe; without this Python would complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ModuleNotFoundError, OSError, UserError) as error:
        print(f"dlr: {_sentence(error)}", file=sys.stderr)
        return 1
    return status


def _sentence(error: Exception) -> str:
    """What to tell the user; raises the error again where it is a fault of the program."""
    if isinstance(error, ModuleNotFoundError):
        if (error.name or "").partition(".")[0] in _ROOMS:
            raise error
        return (
            f"This is a receiver-only installation ({error.name} is missing); install "
            "dlr[pipelines] for the other commands."
        )
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}."
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
