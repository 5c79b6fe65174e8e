"""The benchmark of landed files, with few of them: they become one, and a tick is cheap."""

from pathlib import Path

import pytest

from benchmarks.landing import Shape, measure
from pipelines.landing import compactor


def test_hours_of_small_files_become_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compactor, "MOST_PARTS", 150)
    figures = measure(tmp_path / "data", Shape(3, 2, 200, 100))
    before, after, day = figures.hours_before, figures.hours_after, figures.day_after
    assert (before.files, after.files, day.files) == (400, 2, 1)
    assert day.disk_bytes < after.disk_bytes < before.disk_bytes / 5
    assert figures.tick_files == 100
    assert figures.tick_cpu_s < 0.5
