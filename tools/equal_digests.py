"""Keeps ``pipelines/models/equal_digests.csv``: `python -m tools.equal_digests`.

Run it after a change of SQL or Python that computes the same rows as before: data folders of
earlier versions then need neither a rebuild nor a recomputation. It adds today's digests under the
default settings, and replaces those it added earlier on the same day.

After a change that computes other rows, first delete the older rows of what changed.
"""

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from contract.settings import Settings
from pipelines.models.digests import EQUAL_DIGESTS, digested, digests_now
from pipelines.models.warehouse import prepare


def todays_digests() -> dict[str, str]:
    """Digests of the checkout under the default settings, of every table, decoding and sends."""
    with duckdb.connect() as con:
        prepare(con, Settings.model_construct())
        now = digests_now(con)
        return {what: now.of(what) for what in digested()}


def update(path: Path, digests: Mapping[str, str], today: str) -> None:
    """Add digests that are not listed, and drop those listed on ``today`` that hold no more."""
    with path.open(encoding="utf-8", newline="") as file:
        listed = [(row["what"], row["digest"], row["since"]) for row in csv.DictReader(file)]
    rows = {(what, digest): since for what, digest, since in listed if since != today}
    for what, digest in digests.items():
        rows.setdefault((what, digest), today)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("what", "digest", "since"))
        lines = [(what, digest, since) for (what, digest), since in rows.items()]
        # stable: the digests of one table stay in the order in which they came
        lines.sort(key=lambda line: line[0])
        writer.writerows(lines)


if __name__ == "__main__":
    update(EQUAL_DIGESTS, todays_digests(), f"{datetime.now(UTC):%Y-%m-%d}")
