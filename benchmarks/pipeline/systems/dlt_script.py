"""dlt with ``merge`` on ``sid`` into DuckDB: what a team that has a loading tool uses.

Only loads: no marts, no exports. Its merge takes the last report that came, not the best one, so
the count of delivered messages can differ.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import dlt
import duckdb

from benchmarks.pipeline.outcome import Outcome, peak_bytes, stopwatch, tell, written_bytes
from benchmarks.pipeline.records import read_records

_PAGE = 10_000


def main() -> None:
    """Load everything once."""
    landed, work = Path(sys.argv[1]), Path(sys.argv[2])
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    database = work / "messages.duckdb"
    stop = stopwatch()
    pipeline = dlt.pipeline(
        "messages",
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="core",
        pipelines_dir=str(work),
    )
    resource = dlt.resource(
        _pages(landed), name="sms_status", write_disposition="merge", primary_key="sid"
    )
    pipeline.run(resource)
    seconds, cpu_seconds = stop()
    messages, delivered = _loaded(database)
    tell(Outcome(seconds, cpu_seconds, messages, delivered, peak_bytes(), written_bytes(work)))


def _loaded(database: Path) -> tuple[int, int]:
    with duckdb.connect(database, read_only=True) as con:
        return con.execute(
            "select count(*), count(*) filter (where report_status = 'SUCCESS') "
            "from core.sms_status"
        ).fetchall()[0]


def _pages(landed: Path) -> Iterator[list[dict[str, object]]]:
    """Records in lists, which dlt takes many times faster than one by one."""
    page: list[dict[str, object]] = []
    for record in read_records(landed):
        page.append(record)
        if len(page) == _PAGE:
            yield page
            page = []
    yield page


if __name__ == "__main__":
    main()
