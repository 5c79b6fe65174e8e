"""Landed files to decoded records: the fast path in DuckDB, the slow path in Python.

Leaves behind, as temporary tables of the connection: ``landed_envelopes``, ``landed_pushes``
(pushes not known yet), ``new_pushes``, ``new_records`` and ``new_rejects``.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines import models
from pipelines.decode.slow_path import decode_push
from pipelines.landing.chunks import Chunk
from pipelines.models.rows import hand_over

_ENVELOPE = ("push_id", "received_at", "sha256", "body", "body_base64")
_LINE_BYTES = (1 << 20, 1 << 26)
"""Bounds of what DuckDB is told a line may take."""

Row = tuple[object, ...]


def decode(con: duckdb.DuckDBPyConnection) -> None:
    """Decode every push of ``landed_lines`` that the warehouse does not know."""
    steps = ("landed_envelopes", "landed_pushes", "skipped_lines", "fast_elements")
    models.run_temporary(con, (*steps, "ambiguous_pushes"))
    _decode_slowly(con)
    models.run_temporary(con, ("new_pushes", "new_records", "new_rejects"))


def read_lines(
    con: duckdb.DuckDBPyConnection, landing: Path, names: list[str], chunk: Chunk | None = None
) -> None:
    """Make ``landed_lines`` of the named files, or of one chunk of a file.

    A line that is not a JSON object becomes a row of nulls.
    """
    if chunk is not None:
        name = f"coalesce(landed_in, {models.literal(chunk.file.name)})"
        _read_json(con, [chunk.path], name, ("landed_in", *_ENVELOPE))
    elif names:
        start = len(f"{landing}/") + 1
        _read_json(con, [landing / name for name in names], f"filename[{start}:]", _ENVELOPE)
    else:
        models.run_temporary(con, ("landed_lines",))


def _read_json(
    con: duckdb.DuckDBPyConnection, paths: list[Path], file: str, fields: Iterable[str]
) -> None:
    names = ", ".join(models.literal(str(path)) for path in paths)
    columns = ", ".join(f"{column}: 'VARCHAR'" for column in fields)
    # DuckDB sets memory aside for the longest line there may be, and a line fits in its file
    largest_file = max(path.stat().st_size for path in paths)
    longest = min(max(largest_file, _LINE_BYTES[0]), _LINE_BYTES[1])
    con.execute(
        f"""
        create or replace temp view landed_lines as
        select {file} as file, {", ".join(_ENVELOPE)}
        from read_json(
            [{names}], columns = {{{columns}}}, format = 'newline_delimited', filename = true,
            ignore_errors = true, maximum_object_size = {longest}, compression = 'none'
        )
        """
    )


def _decode_slowly(con: duckdb.DuckDBPyConnection) -> None:
    """Decode again, in Python, each push that SQL did not decode with certainty."""
    pushes, records, rejects = list[Row](), list[Row](), list[Row]()
    for push_id, received_at_utc, body in _ambiguous_bodies(con):
        push = decode_push(body)
        size = len(push.records) + len(push.rejects)
        pushes.append((push_id, push.decoding, size, push.repaired_mobiles))
        for position, sid, *fields in push.records:
            records.append((sid, push_id, position, received_at_utc, *fields))
        rejects += [(push_id, *reject, received_at_utc) for reject in push.rejects]
    hand_over(con, "slow_path_pushes", pushes)
    hand_over(con, "slow_path_records", records)
    hand_over(con, "slow_path_rejects", rejects)


def _ambiguous_bodies(con: duckdb.DuckDBPyConnection) -> list[tuple[str, datetime, bytes]]:
    """Id, time of reception and body of each such push; mostly there is none."""
    if not con.execute("from ambiguous_pushes limit 1").fetchall():
        return []
    models.run_temporary(con, ("slow_path_bodies",))
    return con.execute("from slow_path_bodies").fetchall()
