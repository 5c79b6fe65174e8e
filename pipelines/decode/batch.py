"""Landed files to decoded records, in DuckDB; what is out of the ordinary goes through Python.

Leaves behind, as temporary tables of the connection: ``landed_envelopes``, ``landed_pushes``
(pushes not known yet), ``new_pushes``, ``new_records`` and ``new_rejects``.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd

from pipelines import models
from pipelines.decode.slow_path import FIELDS, Decoded, decode_push
from pipelines.landing.chunks import Chunk

_ENVELOPE = ("push_id", "received_at", "sha256", "body", "body_base64")
_LINE_BYTES = (1 << 20, 1 << 26)
"""Bounds of what DuckDB is told a line may take."""

_PUSH = {
    "push_id": "string",
    "decoding": "string",
    "records": "int64",
    "repaired_mobiles": "int64",
}
_RECORD = {
    "sid": "int64",
    "push_id": "string",
    "position": "int64",
    "received_at_utc": "datetime64[us]",
    **dict.fromkeys(FIELDS.values(), "string"),
}
_REJECT = {
    "push_id": "string",
    "position": "Int64",
    "reason": "string",
    "field": "string",
    "value": "string",
    "received_at_utc": "datetime64[us]",
}


def decode(con: duckdb.DuckDBPyConnection) -> None:
    """Take apart every push of ``landed_lines`` that the warehouse does not know."""
    steps = ("landed_envelopes", "landed_pushes", "skipped_lines", "fast_elements")
    models.run_temporary(con, steps)
    _take_apart_with_care(con)
    models.run_temporary(con, ("new_pushes", "new_records", "new_rejects"))


def read_lines(
    con: duckdb.DuckDBPyConnection, landing: Path, names: list[str], chunk: Chunk | None = None
) -> None:
    """Make ``landed_lines`` of the named files, or of one chunk of a file.

    A line that is no JSON object becomes a row of nulls.
    """
    if chunk is not None:
        named = f"coalesce(landed_in, {models.literal(chunk.file.name)})"
        _read_json(con, [chunk.path], named, ("landed_in", *_ENVELOPE))
    elif names:
        root = f"{landing}/"
        paths = [landing / name for name in names]
        _read_json(con, paths, f"filename[{len(root) + 1}:]", _ENVELOPE)
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


def _take_apart_with_care(con: duckdb.DuckDBPyConnection) -> None:
    """Read each push again, in Python, that SQL did not take apart with certainty."""
    pushes, records, rejects = [], [], []
    for push_id, received_at_utc, body in _uncertain(con):
        decoded = decode_push(body)
        origin = {"push_id": push_id, "received_at_utc": received_at_utc}
        pushes.append(origin | _figures(decoded))
        records += [origin | record for record in decoded.records]
        rejects += [origin | asdict(reject) for reject in decoded.rejects]
    _hand_over(con, "slow_path_pushes", pushes, _PUSH)
    _hand_over(con, "slow_path_records", records, _RECORD)
    _hand_over(con, "slow_path_rejects", rejects, _REJECT)


def _uncertain(con: duckdb.DuckDBPyConnection) -> list[tuple[str, datetime, bytes]]:
    """Id, time of reception and body of each such push; mostly there is none."""
    models.run_temporary(con, ("ambiguous_pushes",))
    if not con.execute("from ambiguous_pushes limit 1").fetchall():
        return []
    models.run_temporary(con, ("slow_path_bodies",))
    return con.execute("from slow_path_bodies").fetchall()


def _figures(decoded: Decoded) -> dict[str, object]:
    return {
        "decoding": decoded.decoding,
        "records": len(decoded.records) + len(decoded.rejects),
        "repaired_mobiles": decoded.repaired_mobiles,
    }


def _hand_over(
    con: duckdb.DuckDBPyConnection,
    name: str,
    rows: list[dict[str, object]],
    types: dict[str, str],
) -> None:
    """Rows to a temporary table, by way of one frame with pinned types."""
    frame = pd.DataFrame(rows, columns=list(types)).astype(types)
    con.register("frame", frame)
    con.execute(f"create or replace temp table {name} as from frame")
    con.unregister("frame")
