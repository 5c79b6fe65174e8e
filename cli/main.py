"""Entry point of the `dlr` command: reads the words, calls one module."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from contract.errors import UserError

COMMANDS = {
    "demo": "simulated traffic through the whole path, with a report at the end",
    "serve": "the receiver alone",
    "run": "process everything that is pending, now",
    "up": "receiver and Dagster (UI, schedules) together, until Ctrl-C",
    "simulate": "act as the provider against a receiver",
    "sends": "import the send log, which turns on rates over what was sent, and latencies",
    "status": "what is landed, pending, processed, rejected, published; 1 if a person is needed",
    "verify": "recount everything from the raw bytes and compare",
    "rebuild": "make the warehouse anew from the landed files, or from a landing day on",
    "compact": "put the landed files of finished days together, one compressed file a day",
    "report": "figures and charts of some days as one HTML file",
    "sql": "query the published database",
    "model": "list the models, run one alone over the data at hand, run their unit tests",
}
READERS = frozenset({"report", "sql", "status", "verify"})
"""Commands that only look at the data folder, and bring none of an earlier version up to date."""


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The command line; the module of the command that is named first adds its own options."""
    main_parser = argparse.ArgumentParser(
        prog="dlr",
        description="SMS delivery reports: receive every push, lose none, prove the numbers.",
        epilog="Settings are environment variables (a .env file is read): see README.md.",
    )
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary}.")
        if name in words[:1]:
            importlib.import_module(f"cli.{name}").add_options(command)
    return main_parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; every expected error becomes one sentence and exit status 1."""
    words = sys.argv[1:] if words is None else words
    arguments = parser(words).parse_args(words)
    try:
        if arguments.command in READERS:
            expect_current_folder()
        status = int(importlib.import_module(f"cli.{arguments.command}").run(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # who reads our output has had enough; Python would complain of the rest when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("ingest", "pipelines", "cli", "simulator"):
            raise
        print(
            f"dlr: this installation is the receiver alone ({error.name} is missing); install "
            "dlr[pipelines] for the other commands.",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"dlr: {error.strerror or error}{where}.", file=sys.stderr)
        return 1
    except UserError as error:
        print(f"dlr: {error}", file=sys.stderr)
        return 1
    return status


def expect_current_folder() -> None:
    """Raise FolderFormatError where the data folder is of another version of the product."""
    from contract.settings import load_settings
    from pipelines.folder.format import expect_current

    expect_current(load_settings())


if __name__ == "__main__":
    sys.exit(main())
