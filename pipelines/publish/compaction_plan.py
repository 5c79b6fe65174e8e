"""Which data files stay and which are written: what changed is written again, in few files.

A table is one file, a file a day, or (``hive``) several files a day, each a range of minutes of
first reception. What arrives now makes a new file and leaves the older ones alone.

    a day's files       |--- 500,000 rows ---|-- 300,000 --|- 9,000 -|
    new minutes                                                      |..|
    written                                                |------------|   the last was small

Ranges never overlap. A file never changes once it is there.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby

from pipelines.publish.data_files import MINUTE, DataFile

FINISHED_AFTER = timedelta(days=4)
"""The files of a day older than this may be merged, because reports are up to 72 h late."""
MOST_FILES = 4
"""A finished day with more files than this is merged,"""
MOST_LATE_FILES = 12
"""or with more than this where one file holds most of it, so that rewriting would not pay."""
MOST_ROWS = 500_000
"""A file is cut at the first minute after this many rows: limits what one late report costs."""

RowsByMinute = Mapping[datetime, int]
CountRows = Callable[[DataFile], RowsByMinute]
"""Counts the rows of a file to be written by their minute of first reception."""
Place = tuple[str, date | None]
"""Table and day."""


def plan(
    current: Iterable[DataFile], stale: Iterable[DataFile], count: CountRows
) -> tuple[list[DataFile], list[DataFile]]:
    """Which current files stay, and which are to be written.

    A stale file stands for a table, a day, or one minute of a day that has several files.
    """
    files_of, changes_of = _by_place(current), _by_place(stale)
    places = [*(files_of | changes_of)]
    latest = dict(sorted((table, day) for table, day in places if day))
    keep: list[DataFile] = []
    write: list[DataFile] = []
    for table, day in places:
        kept, written = _plan_place(files_of[table, day], changes_of[table, day], count)
        if day and day < latest[table] - FINISHED_AFTER and _are_scattered([*kept, *written]):
            files = [*kept, *written]
            kept, written = [], [files[0].spanning(files)]
        keep += kept
        write += written
    return keep, write


def _by_place(files: Iterable[DataFile]) -> defaultdict[Place, list[DataFile]]:
    places: defaultdict[Place, list[DataFile]] = defaultdict(list)
    for file in files:
        places[file.table_name, file.part_day].append(file)
    return places


def _are_scattered(files: list[DataFile]) -> bool:
    """Whether the files of a finished day are too many."""
    rows = [file.rows for file in files]
    pays = 2 * max(rows, default=0) <= sum(rows)
    return len(files) > (MOST_FILES if pays else MOST_LATE_FILES)


def _plan_place(
    files: list[DataFile], changes: list[DataFile], count: CountRows
) -> tuple[list[DataFile], list[DataFile]]:
    """Which files of a table or day stay, and which to write."""
    if not changes:
        return files, []
    if changes[0].from_minute_utc is None:
        return [], changes[:1]
    return _plan_day(files, changes, count)


def _plan_day(
    files: list[DataFile], minutes: list[DataFile], count: CountRows
) -> tuple[list[DataFile], list[DataFile]]:
    """Which files of a day stay, and which to write for its stale minutes."""
    stale, uncovered = _meet(files, minutes)
    rows = count(minutes[0].spanning([*stale, *uncovered]))
    keep: list[DataFile] = []
    write: list[DataFile] = []
    timeline = sorted([*files, *uncovered], key=lambda file: file.start)
    for is_stale, group in groupby(timeline, key=lambda file: file in stale | uncovered):
        if is_stale:
            write += _rewrite(list(group), keep, rows, after=write[-1:])
        else:
            keep += group
    return keep, write


def _meet(files: list[DataFile], minutes: list[DataFile]) -> tuple[set[DataFile], set[DataFile]]:
    """Files in which a stale minute lies, and stale minutes that lie in no file."""
    stale: set[DataFile] = set()
    uncovered: set[DataFile] = set()
    ordered = sorted(files, key=lambda file: file.start)
    starts = [file.start for file in ordered]
    for minute in minutes:
        at = bisect_right(starts, minute.start) - 1
        if at >= 0 and minute.start <= ordered[at].end:
            stale.add(ordered[at])
        else:
            uncovered.add(minute)
    return stale, uncovered


def _rewrite(
    stale: list[DataFile], keep: list[DataFile], rows: RowsByMinute, after: list[DataFile]
) -> Iterator[DataFile]:
    """Files for adjacent stale ones; small files before them leave ``keep`` and are merged in.

    ``after`` is the file written last: whatever lies before it is not merged.
    """
    whole = stale[0].spanning(stale)
    counts = {minute: n for minute, n in rows.items() if whole.start <= minute <= whole.end}
    total = sum(counts.values())
    while keep and all(keep[-1].start > file.end for file in after):
        # like carrying digits when counting up: no row is rewritten too often
        if keep[-1].rows > 2 * total or keep[-1].rows + total > MOST_ROWS:
            break
        total += keep[-1].rows
        whole = whole.spanning([keep.pop(), whole])
    if total:
        yield from _cut(replace(whole, rows=total), counts)


def _cut(whole: DataFile, rows: RowsByMinute) -> Iterator[DataFile]:
    """Files of about the same size, none of them much larger than MOST_ROWS."""
    count = -(-whole.rows // MOST_ROWS)
    begin, seen, cuts = whole.start, 0, 1
    for minute in sorted(rows) if count > 1 else ():
        seen += rows[minute]
        if cuts < count and seen >= whole.rows * cuts / count:
            yield replace(
                whole, from_minute_utc=begin, until_minute_utc=minute, rows=whole.rows // count
            )
            begin, cuts = minute + MINUTE, cuts + 1
    if begin <= whole.end:
        yield replace(whole, from_minute_utc=begin, rows=whole.rows // count)
