"""`exports/current`: what tools that read folders see is one state, whatever goes on."""

import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds

from contract.settings import Settings
from pipelines.folder.show import manifest_path
from pipelines.publish.data_files import exported_models
from tests.agreement import everywhere, manifest_of
from tests.data_folder import FIRST, form, land, push, record, run, settings_of
from tests.pipelines.test_crash import PROCESSES

PUBLICATIONS = 8
PER_RUN = 20


def by_duckdb(folder: Path) -> list[int]:
    rows = duckdb.execute(f"select sid from read_parquet('{folder}/*.parquet')").fetchall()
    return [sid for (sid,) in rows]


READERS: dict[str, Callable[[Path], list[int]]] = {
    "pandas": lambda folder: list(pd.read_parquet(folder, columns=["sid"])["sid"]),
    "polars": lambda folder: pl.read_parquet(folder, columns=["sid"])["sid"].to_list(),
    "polars, lazily": lambda folder: (
        pl.scan_parquet(folder / "*.parquet").select("sid").collect()["sid"].to_list()
    ),
    "pyarrow": lambda folder: ds.dataset(folder).to_table(columns=["sid"])["sid"].to_pylist(),
    "duckdb": by_duckdb,
}
GONE = (OSError, duckdb.IOException, pl.exceptions.ComputeError, pa.ArrowInvalid)
"""What the libraries raise where a file that they listed is no longer there."""
ARROW = ("pandas", "pyarrow")
"""These leave out, without a word, what goes while they list a folder: resolve the link before."""


def land_run(settings: Settings, number: int) -> None:
    """Reports of two days; each run repeats some of the run before, in another way."""
    first = number * PER_RUN
    records = [record(sid, uid=f"{number}") for sid in range(max(0, first - 5), first + PER_RUN)]
    at = FIRST.replace(minute=number)
    pushes = [push(form(records), 100 * number, received_at=at)]
    land(settings, pushes, f"{number}")


def publish_on(data: Path) -> None:
    """In a process of its own: one publication after the other."""
    settings = settings_of(data)
    for number in range(1, PUBLICATIONS):
        land_run(settings, number)
        run(settings)


def test_every_table_is_a_folder_of_its_current_files(settings: Settings) -> None:
    for number in range(3):
        land_run(settings, number)
        run(settings)
    current = manifest_path(settings).parent / "current"
    assert {path.name for path in current.iterdir()} == {
        model.table for model in exported_models().values()
    }
    for table in exported_models():
        assert len(everywhere(settings, table)) == 1
        files = [one for one in manifest_of(settings)["files"] if one["table"] == table]
        folder = current / table.partition(".")[2]
        assert len(list(folder.iterdir())) == len(files)
        if files:
            rows = sum(one["rows"] for one in files)
            assert len(pd.read_parquet(folder)) == pl.read_parquet(folder).height == rows
            assert ds.dataset(folder).count_rows() == rows
    sids = list(range(3 * PER_RUN))
    assert all(sorted(read(current / "sms_status")) == sids for read in READERS.values())


def test_a_folder_read_while_publications_go_on_counts_nothing_twice(settings: Settings) -> None:
    land_run(settings, 0)
    run(settings)
    folder = manifest_path(settings).parent / "current" / "sms_status"
    child = PROCESSES.Process(target=publish_on, args=(settings.data,))
    child.start()
    counts: dict[tuple[str, bool], list[int]] = {}
    deadline = time.monotonic() + 100
    while child.is_alive() and time.monotonic() < deadline:
        for reader, pinned in product(READERS, (False, True)):
            try:
                sids = READERS[reader](folder.resolve() if pinned else folder)
            except GONE:
                assert not pinned, "whoever resolves the link once misses nothing"
                continue
            assert len(set(sids)) == len(sids), "a message was read twice"
            if pinned or reader not in ARROW:
                assert sorted(sids) == list(range(len(sids)))
                counts.setdefault((reader, pinned), []).append(len(sids))
    child.join()
    assert child.exitcode == 0
    for seen in counts.values():
        assert len(set(seen)) > 1, "nothing was published meanwhile"
        assert {count % PER_RUN for count in seen} == {0}
        assert seen == sorted(seen)
    for read in READERS.values():
        assert len(read(folder)) == PUBLICATIONS * PER_RUN
