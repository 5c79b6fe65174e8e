"""The product's first half alone: landed files to `raw` and `core`, no marts, no exports."""

import sys
import time
from pathlib import Path

from benchmarks.pipeline.outcome import Outcome, peak_bytes, tell
from ingest.settings import load_settings
from pipelines.load import load
from pipelines.warehouse import open_warehouse


def main() -> None:
    """Take in what is pending."""
    settings = load_settings(data=Path(sys.argv[1]))
    with open_warehouse(settings) as con:
        began = time.perf_counter()
        load(con, settings, "benchmark")
        seconds = time.perf_counter() - began
        messages, delivered = con.execute(
            "select count(*), count(*) filter (where delivered) from core.sms_status"
        ).fetchall()[0]
    tell(Outcome(seconds, messages, delivered, peak_bytes()))


if __name__ == "__main__":
    main()
