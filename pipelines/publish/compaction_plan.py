"""Which pieces an exported table is cut into: what changed is written again, in few pieces.

A table lies in one file, in a file a day, or (``hive``) each day in pieces by the minute of first
reception. What arrives now makes a new piece and leaves the older ones alone.

    a day's pieces      |--- 500,000 rows ---|-- 300,000 --|- 9,000 -|
    new minutes                                                      |..|
    written                                                |------------|   the last was small

Pieces never overlap. A file is never changed once it is there; only the manifest says which are
current.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby

from pipelines.publish.data_file import MINUTE, Part

FINISHED_AFTER = timedelta(days=4)
"""Reports come up to 72 h late; the pieces of a day older than this may be put together."""
MOST_PIECES = 4
"""So many may a finished day lie in,"""
MOST_LATE_PIECES = 12
"""and so many when one piece has most of it already, and writing that again would not pay."""
MOST_ROWS = 500_000
"""A piece is cut at the first minute after so many rows: bounds what one late report costs."""

RowsByMinute = Mapping[datetime, int]
"""Rows of a stretch of one day by their minute of first reception."""
CountRows = Callable[[Part], RowsByMinute]
Place = tuple[str, date | None]
"""Table and day."""


def plan(
    current: Iterable[Part], stale: Iterable[Part], count: CountRows
) -> tuple[list[Part], list[Part]]:
    """Which current parts stay, and which are to be written.

    A stale part is a file, a day, or one minute of a day that lies in pieces.
    """
    keep, write = _by_place(current), _by_place(stale)
    for place, marks in write.items():
        found = keep.pop(place, [])
        if marks[0].from_minute_utc is None:
            write[place] = marks[:1]
        else:
            keep[place], write[place] = _plan_day(found, marks, count)
    for place in _scattered(keep, write):
        pieces = keep.pop(place) + write[place]
        write[place] = [pieces[0].spanning(pieces)]
    return _flat(keep), _flat(write)


def _by_place(parts: Iterable[Part]) -> defaultdict[Place, list[Part]]:
    places: defaultdict[Place, list[Part]] = defaultdict(list)
    for part in parts:
        places[part.table_name, part.part_day].append(part)
    return places


def _flat(places: Mapping[Place, list[Part]]) -> list[Part]:
    return [part for parts in places.values() for part in parts]


def _plan_day(
    pieces: list[Part], minutes: list[Part], count: CountRows
) -> tuple[list[Part], list[Part]]:
    """Which pieces of a day stay, and which to write for its stale minutes."""
    hit, bare = _meet(pieces, minutes)
    rows = count(minutes[0].spanning([*hit, *bare]))
    keep: list[Part] = []
    write: list[Part] = []
    timeline = sorted([*pieces, *bare], key=lambda part: part.start)
    for is_stale, group in groupby(timeline, key=lambda one: one in hit or one in bare):
        if is_stale:
            write += _rewrite(list(group), keep, rows, after=write[-1:])
        else:
            keep += group
    return keep, write


def _meet(pieces: list[Part], minutes: list[Part]) -> tuple[set[Part], set[Part]]:
    """Pieces in which a stale minute lies, and minutes that lie in no piece."""
    hit: set[Part] = set()
    bare: set[Part] = set()
    ordered = sorted(pieces, key=lambda part: part.start)
    starts = [piece.start for piece in ordered]
    for minute in minutes:
        at = bisect_right(starts, minute.start) - 1
        inside = at >= 0 and minute.start <= ordered[at].end
        (hit if inside else bare).add(ordered[at] if inside else minute)
    return hit, bare


def _rewrite(
    stretch: list[Part], keep: list[Part], rows: RowsByMinute, after: list[Part]
) -> Iterator[Part]:
    """Pieces for a stretch in which none stays; small ones before it leave ``keep`` and join in.

    ``after`` is the piece written last: what lies before it is out of reach.
    """
    whole = stretch[0].spanning(stretch)
    found = {minute: n for minute, n in rows.items() if whole.start <= minute <= whole.end}
    total = sum(found.values())
    while keep and all(keep[-1].start > one.end for one in after):
        # as the digits of a number that is counted up: no row is written again too often
        if keep[-1].rows > 2 * total or keep[-1].rows + total > MOST_ROWS:
            break
        total += keep[-1].rows
        whole = whole.spanning([keep.pop(), whole])
    if total:
        yield from _cut(replace(whole, rows=total), found)


def _cut(whole: Part, rows: RowsByMinute) -> Iterator[Part]:
    """Pieces of about the same size, none of them much larger than MOST_ROWS."""
    pieces = -(-whole.rows // MOST_ROWS)
    begin, seen, cuts = whole.start, 0, 1
    for minute in sorted(rows) if pieces > 1 else ():
        seen += rows[minute]
        if cuts < pieces and seen >= whole.rows * cuts / pieces:
            yield replace(
                whole, from_minute_utc=begin, until_minute_utc=minute, rows=whole.rows // pieces
            )
            begin, cuts = minute + MINUTE, cuts + 1
    if begin <= whole.end:
        yield replace(whole, from_minute_utc=begin, rows=whole.rows // pieces)


def _scattered(
    keep: Mapping[Place, list[Part]], write: Mapping[Place, list[Part]]
) -> Iterator[Place]:
    """Days that are over and lie in too many pieces."""
    latest: dict[str, date] = {}
    places = [place for place in {**keep, **write} if place[1] is not None]
    for table, day in places:
        latest[table] = max(latest.get(table, date.min), day or date.min)
    for table, day in places:
        pieces = [*keep.get((table, day), ()), *write.get((table, day), ())]
        largest = max((piece.rows for piece in pieces), default=0)
        paying = 2 * largest <= sum(piece.rows for piece in pieces)
        too_many = len(pieces) > (MOST_PIECES if paying else MOST_LATE_PIECES)
        if too_many and day is not None and day < latest[table] - FINISHED_AFTER:
            yield table, day
