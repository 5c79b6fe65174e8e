"""Landed files to decoded records: the fast path in DuckDB, the slow path in Python.

Leaves behind, as temporary tables of the connection: ``landed_envelopes``, ``landed_pushes``
(pushes not known yet), ``new_pushes``, ``new_records`` and ``new_rejects``.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines import models
from pipelines.decode.slow_path import FIELDS, decode_push
from pipelines.landing.chunks import Chunk
from pipelines.models.rows import COUNT, TEXT, TIME, hand_over

_ENVELOPE = ("push_id", "received_at", "sha256", "body", "body_base64")
_LINE_BYTES = (1 << 20, 1 << 26)
"""Bounds of what DuckDB is told a line may take."""

_PUSH = {"push_id": TEXT, "decoding": TEXT, "records": COUNT, "repaired_mobiles": COUNT}
_RECORD = {
    "sid": COUNT,
    "push_id": TEXT,
    "position": COUNT,
    "received_at_utc": TIME,
    **dict.fromkeys(FIELDS.values(), TEXT),
}
_REJECT = {
    "push_id": TEXT,
    "position": COUNT,
    "reason": TEXT,
    "field": TEXT,
    "value": TEXT,
    "received_at_utc": TIME,
}


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
        columns = ", ".join(f"null::varchar as {column}" for column in ("file", *_ENVELOPE))
        con.execute(f"create or replace temp view landed_lines as select {columns} where false")


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
    pushes = list[tuple[object, ...]]()
    records, rejects = list[dict[str, object]](), list[dict[str, object]]()
    for push_id, received_at_utc, body in _ambiguous_bodies(con):
        decoded = decode_push(body)
        size = len(decoded.records) + len(decoded.rejects)
        pushes.append((push_id, decoded.decoding, size, decoded.repaired_mobiles))
        origin = {"push_id": push_id, "received_at_utc": received_at_utc}
        records += [origin | record for record in decoded.records]
        rejects += [origin | asdict(reject) for reject in decoded.rejects]
    hand_over(con, "slow_path_pushes", pushes, _PUSH)
    hand_over(con, "slow_path_records", records, _RECORD)
    hand_over(con, "slow_path_rejects", rejects, _REJECT)


def _ambiguous_bodies(con: duckdb.DuckDBPyConnection) -> list[tuple[str, datetime, bytes]]:
    """Id, time of reception and body of each such push; mostly there is none."""
    if not con.execute("from ambiguous_pushes limit 1").fetchall():
        return []
    models.run_temporary(con, ("slow_path_bodies",))
    return con.execute("from slow_path_bodies").fetchall()
