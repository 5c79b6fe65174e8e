"""Questions that people ask, each a file of ``warehouse/questions``: SQL over published tables.

What a header holds:

    question:    the question in plain words
    asked_by:    who asks it
    parameters:  name: what it is, and what holds where it is not set (optional)

A parameter is a DuckDB variable, so that the same text works in any client after
``set variable day = '2026-01-05'``, and without.
"""

from dataclasses import dataclass, field

from pipelines.models.headers import WAREHOUSE, ModelError, read_header


@dataclass(frozen=True, slots=True)
class Question:
    """One question."""

    name: str
    sql: str
    question: str
    asked_by: str
    parameters: dict[str, str] = field(default_factory=dict)


def load_questions() -> dict[str, Question]:
    """All questions by name. Raises ModelError where a header is missing or wrong."""
    questions = {}
    for path in sorted((WAREHOUSE / "questions").glob("*.sql")):
        header, sql = read_header(path)
        try:
            questions[path.stem] = Question(path.stem, sql, **header)
        except TypeError as error:
            raise ModelError(f"{path}: {error}; see pipelines/models/questions.py") from error
    return questions
