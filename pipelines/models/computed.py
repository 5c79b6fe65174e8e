"""By what each stored table was computed, and which are outdated, in ``ops.models``.

A table is outdated where the digest it was computed by (``digests.py``) is neither today's nor
known to give the same rows, and where it follows from an outdated one.
"""

from collections.abc import Mapping, Set
from datetime import UTC, datetime

import duckdb

from pipelines.models.catalog import dependencies, load_models
from pipelines.models.digests import digests_now
from pipelines.models.headers import Model


def outdated(con: duckdb.DuckDBPyConnection) -> list[Model]:
    """Tables that would be computed otherwise today, or follow from one of these, in order."""
    now = digests_now(con)
    known = dict(con.execute("select model, digest from ops.models").fetchall())
    stale: dict[str, Model] = {}
    for name, model in load_models().items():
        if model.is_computed and (
            known.get(name) not in now.accepted(name) or dependencies()[name] & stale.keys()
        ):
            stale[name] = model
    return list(stale.values())


def outdated_marts(con: duckdb.DuckDBPyConnection) -> list[Model]:
    """Those of them that are computed from what a load leaves; a load computes the others."""
    return [model for model in outdated(con) if model.schema == "marts"]


def note_computed(
    con: duckdb.DuckDBPyConnection, seconds: Mapping[str, float], run_id: str | None
) -> None:
    """Note by what tables were computed, and in how many seconds; in the caller's transaction.

    A table that follows from them, and is not among them, counts as outdated from now on.
    """
    now, at = digests_now(con), datetime.now(UTC).replace(tzinfo=None)
    for name in seconds.keys() | _downstream(seconds.keys()):
        con.execute("delete from ops.models where model = ?", [name])
    for name, duration in seconds.items():
        con.execute(
            "insert into ops.models by name select ? as model, ? as digest, "
            "? as computed_at_utc, ? as run_id, "
            f"(select count(*) from {name}) as rows, ? as seconds",
            [name, now.of(name), at, run_id, round(duration, 3)],
        )


def _downstream(names: Set[str]) -> set[str]:
    """Computed tables that follow from these, near or far."""
    following: set[str] = set()
    for name, model in load_models().items():
        if model.is_computed and dependencies()[name] & (names | following):
            following.add(name)
    return following
