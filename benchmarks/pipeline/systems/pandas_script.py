"""A plain pandas script: what an analyst writes in an afternoon.

Decodes with the standard library, takes one report a message, puts times in UTC, looks the code up
by its literal, adds up hours, writes Parquet. No ledger, no rejects, no patterns, no history: each
time it reads everything.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.pipeline.outcome import Outcome, peak_bytes, stopwatch, tell, written_bytes
from benchmarks.pipeline.records import read_records

_CODES = Path(__file__).parents[3] / "warehouse" / "reference" / "carrier_errors.csv"


def main() -> None:
    """Run the script once."""
    landed, work = Path(sys.argv[1]), Path(sys.argv[2])
    stop = stopwatch()
    messages = _messages(pd.DataFrame(read_records(landed)))
    _write(messages, work)
    seconds, cpu_seconds = stop()
    delivered = int((messages["report_status"] == "SUCCESS").sum())
    tell(Outcome(seconds, cpu_seconds, len(messages), delivered, peak_bytes(), written_bytes(work)))


def _messages(records: pd.DataFrame) -> pd.DataFrame:
    """One row a message, with times in UTC and the category of its code."""
    best = records.sort_values(
        ["sid", "report_status", "user_receive_time"], ascending=[True, False, False]
    ).drop_duplicates("sid")
    local = pd.to_datetime(best["user_receive_time"], format="%Y-%m-%d %H:%M:%S", errors="coerce")
    handset = local.dt.tz_localize("Asia/Shanghai", ambiguous="NaT").dt.tz_convert("UTC")
    received = pd.to_datetime(best["received_at"], utc=True)
    codes = pd.read_csv(_CODES, dtype=str, keep_default_na=False).drop_duplicates("code")
    category = best["error_msg"].map(codes.set_index("code")["category"])
    return best.assign(
        uid=best["uid"].astype("string"),
        event_time=handset.fillna(received),
        report_lag_s=(received - handset).dt.total_seconds(),
        category=category.fillna("unknown"),
    )


def _write(messages: pd.DataFrame, work: Path) -> None:
    """The messages, delivery by hour, latency by hour, failures by day."""
    hour = messages["event_time"].dt.floor("h").rename("hour")
    is_delivered = messages["report_status"] == "SUCCESS"
    messages.to_parquet(work / "messages.parquet", compression="zstd")
    by_hour = is_delivered.groupby(hour).agg(["size", "sum"])
    by_hour.assign(rate=by_hour["sum"] / by_hour["size"]).to_parquet(work / "delivery.parquet")
    lag = messages.loc[is_delivered, "report_lag_s"].groupby(hour[is_delivered])
    lag.quantile(np.array([0.5, 0.9, 0.95, 0.99])).unstack().to_parquet(work / "latency.parquet")
    failed = messages[~is_delivered]
    day = failed["event_time"].dt.floor("D").rename("day")
    failed.groupby([day, "category", "error_msg"], dropna=False).size().rename(
        "n"
    ).to_frame().to_parquet(work / "failures.parquet")


if __name__ == "__main__":
    main()
