"""By what each stored table was computed, and which are outdated, in ``ops.models``.

A table is outdated where its digest (``digests.py``) is not the one it was computed by, and where
it follows from an outdated one.
"""

from collections.abc import Mapping, Set
from datetime import UTC, datetime

import duckdb

from pipelines import models
from pipelines.models import Model
from pipelines.models.digests import digests_now


def outdated(con: duckdb.DuckDBPyConnection) -> list[Model]:
    """Tables that were computed by something else than holds now, or follow from one, in order."""
    now, known = digests_now(con), _known(con)
    found: dict[str, Model] = {}
    for model in models.load_models().values():
        if model.temporary or not model.sql:
            continue
        changed = known.get(model.name) != now.of(model)
        if changed or models.dependencies()[model.name] & found.keys():
            found[model.name] = model
    return list(found.values())


def _known(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(con.execute("select model, digest from ops.models").fetchall())


def outdated_core(con: duckdb.DuckDBPyConnection) -> list[Model]:
    """Those of them that a load computes."""
    return [model for model in outdated(con) if model.schema != "marts"]


def outdated_marts(con: duckdb.DuckDBPyConnection) -> list[Model]:
    """Those of them that are computed from what a load leaves."""
    return [model for model in outdated(con) if model.schema == "marts"]


def note_computed(
    con: duckdb.DuckDBPyConnection, seconds: Mapping[str, float], run_id: str | None
) -> None:
    """Note by what tables were computed, and in how many seconds; in the caller's transaction.

    What follows from them, and is not among them, counts as outdated from now on.
    """
    now, at = digests_now(con), datetime.now(UTC).replace(tzinfo=None)
    for name in seconds.keys() | _downstream(seconds.keys()):
        con.execute("delete from ops.models where model = ?", [name])
    for name, duration in seconds.items():
        con.execute(
            "insert into ops.models by name select ? as model, ? as digest, "
            "? as computed_at_utc, ? as run_id, "
            f"(select count(*) from {name}) as rows, ? as seconds",
            [name, now.of(models.load_models()[name]), at, run_id, round(duration, 3)],
        )


def _downstream(names: Set[str]) -> set[str]:
    """Tables that follow from these, near or far."""
    found: set[str] = set()
    for name in models.load_models():
        if models.dependencies().get(name, frozenset()) & (names | found):
            found.add(name)
    return found
