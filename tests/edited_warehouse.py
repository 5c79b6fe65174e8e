"""A copy of ``warehouse/`` that a test may edit as a user would edit the checkout's."""

import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pipelines.models.headers import WAREHOUSE

_SAME_FOR_EVER = ("parse", "python_meaning")
"""What follows from a text of SQL, or from our own code, is the same after any edit."""

_CACHED = type(cache(str))
"""Asking for the attribute instead finds it in objects that have every attribute."""


def forget() -> None:
    """Have every module read the folder anew, as a new process does."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("pipelines", "cli"):
            for part in vars(module).values():
                if isinstance(part, _CACHED) and part.__name__ not in _SAME_FOR_EVER:
                    part.cache_clear()


class EditedWarehouse:
    """The copy; each edit is seen by what runs next in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, model: str) -> Path:
        """File of a model, such as ``marts.delivery_daily``."""
        return self.folder / f"{model.replace('.', '/')}.sql"

    def replace(self, file: str, old: str, new: str) -> None:
        """Change a text that stands in the file, once or more often."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        forget()

    def write(self, file: str, text: str) -> None:
        """Write a whole file."""
        (self.folder / file).write_text(text, encoding="utf-8")
        forget()

    def remove(self, file: str) -> None:
        """Delete a file."""
        (self.folder / file).unlink()
        forget()


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EditedWarehouse]:
    """The copy in the place of the checkout's own."""
    folder = tmp_path / "warehouse"
    shutil.copytree(WAREHOUSE, folder)
    for name, module in list(sys.modules.items()):
        for constant, place in (("WAREHOUSE", folder), ("REFERENCE", folder / "reference")):
            if name.startswith("pipelines.") and hasattr(module, constant):
                monkeypatch.setattr(module, constant, place)
    forget()
    yield EditedWarehouse(folder)
    monkeypatch.undo()
    forget()
