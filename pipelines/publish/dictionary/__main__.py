"""Prints the Markdown dictionary: ``python -m pipelines.publish.dictionary``."""

from pipelines.publish.dictionary import markdown

print(markdown(), end="")  # noqa: T201  a command prints
