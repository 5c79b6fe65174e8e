"""What several commands share: their error, progress, dates as options, words for figures."""

import argparse
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from difflib import get_close_matches
from typing import Any

from contract.errors import UserError

TERMS = ("records", "messages", "duplicates", "conflicts", "rejected")
"""Of the conservation law: the first is the sum of the others."""


class CommandError(UserError):
    """What was asked for cannot be done; the message is a sentence for the user."""


@contextmanager
def progress_bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress where standard error is a terminal.

    Call what is yielded with how much of how much is done (bytes, messages).
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), *Progress.get_default_columns())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(text, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def add_day(parser: argparse.ArgumentParser, name: str, text: str, dest: str | None = None) -> None:
    """Add an option that takes a date."""
    parser.add_argument(name, dest=dest, type=date.fromisoformat, metavar="YYYY-MM-DD", help=text)


def expect_known(kind: str, name: str, names: Collection[str], command: str) -> None:
    """Raise CommandError where ``name`` is none of ``names``, which ``command`` lists."""
    if name not in names:
        near = get_close_matches(name, names, n=3, cutoff=0.4)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise CommandError(f"There is no {kind} {name}.{hint} {command} lists them.")


def counted(count: int, noun: str) -> str:
    """``1 file``, ``2,000 files``, ``3 pushes``."""
    ending = "" if count == 1 else "es" if noun.endswith("sh") else "s"
    return f"{count:,} {noun}{ending}"


def accounted(figures: Mapping[str, Any], prefix: str = "") -> str:
    """What became of the records, in the terms of the conservation law.

    ``figures`` holds each of TERMS as an integer, under its name with ``prefix`` before it.
    """
    records, *nouns, rejected = (figures[prefix + term] for term in TERMS)
    outcomes = [counted(n, term[:-1]) for n, term in zip(nouns, TERMS[1:-1], strict=True)]
    return f"{counted(records, 'record')}: {', '.join(outcomes)}, {rejected:,} rejected"


def age_text(seconds: float) -> str:
    """``30 s``, ``5 min``, ``3.5 h``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
