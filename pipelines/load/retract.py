"""What is taken again is first taken out, in the same transaction."""

from dataclasses import dataclass

import duckdb
import pandas as pd

from pipelines import models
from pipelines.landing.chunks import Chunk
from pipelines.landing.inventory import LandedFile
from pipelines.load import changes
from pipelines.sends.store import SendsRead


@dataclass(frozen=True, slots=True)
class Slice:
    """What one transaction takes in: files, or a part of one file."""

    files: list[LandedFile]
    part: Chunk | None
    sends: SendsRead
    """Files of the send log, taken in with the first part."""

    @property
    def whole(self) -> bool:
        """Whether the files are done with it."""
        return self.part is None or self.part.last


def remove(con: duckdb.DuckDBPyConnection, taken: Slice, *, again: bool) -> None:
    """Take out what the files brought earlier; ``retracted_records`` keeps what that touches."""
    scope = _scope_of_removal(con, taken) if again else "false"
    con.execute(
        f"""
        create or replace temp table retracted_pushes as
        select push_id, file, received_at_utc
        from raw.pushes
        where {scope}
        """
    )
    scope = "push_id in (select push_id from retracted_pushes)"
    con.execute(
        f"""
        create or replace temp table retracted_records as
        select sid from core.sms_status where {scope}
        union
        select sid from core.repeated_reports where {scope}
        """
    )
    if not con.execute("from retracted_pushes limit 1").fetchall():
        return
    changes.remember_pushes(con)
    for name in ("raw.pushes", "raw.rejected_records"):
        models.mark_stale(con, models.load_models()[name], scope)
        con.execute(f"delete from {name} where {scope}")


def _scope_of_removal(con: duckdb.DuckDBPyConnection, taken: Slice) -> str:
    """Pushes of the files at hand; of a file in parts those in the part, at last all it lost."""
    names = pd.DataFrame({"file": [file.name for file in taken.files]}, dtype="string")
    con.register("retracted_frame", names)
    con.execute("create or replace temp table retracted_files as from retracted_frame")
    con.unregister("retracted_frame")
    part = taken.part
    if part is None:
        return "file in (from retracted_files)"
    con.execute(
        """
        insert into retracted_files
        select file from ops.compacted_files where container in (from retracted_files)
        union
        select distinct file from landed_lines
        """
    )
    fresh = "create or replace temp table" if part.first_line == 1 else "insert into"
    con.execute(
        f"{fresh} reread_pushes {'as ' * (part.first_line == 1)}select push_id from landed_lines"
    )
    in_part = "push_id in (select push_id from landed_lines)"
    lost = "or push_id not in (select push_id from reread_pushes where push_id is not null)"
    return f"file in (from retracted_files) and ({in_part} {lost * part.last})"
