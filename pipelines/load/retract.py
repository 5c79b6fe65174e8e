"""Re-ingesting a file first deletes its earlier rows, in the same transaction."""

import duckdb

from pipelines.load import changes
from pipelines.load.batch import Batch
from pipelines.models.rows import hand_over
from pipelines.models.steps import delete, insert, make


def retract(con: duckdb.DuckDBPyConnection, batch: Batch, *, again: bool) -> None:
    """Delete the pushes that the files brought earlier, with their rejects.

    Leaves ``retracted_pushes``, and ``retracted_records``: the sids of their messages, which are to
    be settled without them. Unless ``again``, both are empty.
    """
    files = [(file.name,) for file in batch.files] if again else []
    hand_over(con, "retracted_files", files)
    if batch.chunk and again:
        _find_pushes_of_chunk(con, first=batch.chunk.first_line == 1, last=batch.chunk.last)
    else:
        make(con, "retracted_pushes", "pushes_of_files")
    make(con, "retracted_records", "messages_of_pushes")
    if con.execute("from retracted_pushes limit 1").fetchall():
        changes.remember_pushes(con)
        for table in ("raw.pushes", "raw.rejected_records"):
            delete(con, table, "push_id in (select push_id from retracted_pushes)")


def _find_pushes_of_chunk(con: duckdb.DuckDBPyConnection, *, first: bool, last: bool) -> None:
    """The pushes in one chunk of a file, and with the last chunk all that the file lost."""
    make(con, "lines_of_chunk", "lines_of_chunk")
    insert(con, "retracted_files", "files_of_chunk")
    if first:
        con.execute("create or replace temp table reread_pushes (push_id varchar)")
    con.execute("insert into reread_pushes select push_id from lines_of_chunk")
    make(con, "retracted_pushes", "pushes_of_chunk")
    if last:
        insert(con, "retracted_pushes", "lost_pushes")
