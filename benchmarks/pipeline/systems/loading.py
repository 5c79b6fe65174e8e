"""The product's first half alone: landed files to `raw` and `core`, no marts, no exports."""

import sys
from pathlib import Path

from benchmarks.pipeline.outcome import Outcome, peak_bytes, stopwatch, tell
from contract.settings import load_settings
from pipelines.load.load import load
from pipelines.models.warehouse import open_warehouse


def main() -> None:
    """Take in what is pending."""
    settings = load_settings(data=Path(sys.argv[1]))
    with open_warehouse(settings) as con:
        stop = stopwatch()
        load(con, settings, "benchmark")
        seconds, cpu_seconds = stop()
        messages, delivered = con.execute(
            "select count(*), count(*) filter (where delivered) from core.sms_status"
        ).fetchall()[0]
    tell(Outcome(seconds, cpu_seconds, messages, delivered, peak_bytes()))


if __name__ == "__main__":
    main()
