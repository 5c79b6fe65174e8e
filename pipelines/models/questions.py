"""Questions that people ask, each a file of ``warehouse/questions``: SQL over published tables.

What a header holds:

    question:    the question in plain words
    asked_by:    who asks it
    parameters:  name: what it is, and what holds where it is not set (optional)

A parameter is a DuckDB variable, so that the same text works in any client after
``set variable day = '2026-01-05'``, and without.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipelines.models.headers import WAREHOUSE, ModelError

_FILE = re.compile(r"\s*/\*(?P<header>.*?)\*/\s*(?P<sql>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Question:
    """One question."""

    name: str
    sql: str
    question: str
    asked_by: str
    parameters: dict[str, str] = field(default_factory=dict)


def load_questions() -> dict[str, Question]:
    """All questions by name."""
    paths = sorted((WAREHOUSE / "questions").glob("*.sql"))
    return {path.stem: read_question(path) for path in paths}


def read_question(path: Path) -> Question:
    """Read one file. Raises ModelError where its header is missing or wrong."""
    match = _FILE.fullmatch(path.read_text(encoding="utf-8"))
    try:
        if not match:
            raise ModelError("does not begin with a /* header */")  # noqa: TRY301  every fault of a file ends alike
        header: dict[str, Any] = yaml.safe_load(match["header"])
        return Question(path.stem, match["sql"].strip(), **header)
    except (ModelError, TypeError, yaml.YAMLError) as error:
        raise ModelError(f"{path}: {error}; see pipelines/models/questions.py") from error
