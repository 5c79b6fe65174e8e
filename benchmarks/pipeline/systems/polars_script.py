"""The same script with polars, whose JSON reader and engine use every core.

Percent-decoding is the standard library's, for polars has none.
"""

import json
import sys
from pathlib import Path
from urllib.parse import unquote_plus

import polars as pl

from benchmarks.pipeline.outcome import Outcome, peak_bytes, stopwatch, tell, written_bytes
from benchmarks.pipeline.records import FIELDS

_CODES = Path(__file__).parents[3] / "warehouse" / "reference" / "carrier_errors.csv"
_RECORDS = pl.List(pl.Struct(dict.fromkeys(FIELDS, pl.String)))


def main() -> None:
    """Run the script once."""
    landed, work = Path(sys.argv[1]), Path(sys.argv[2])
    stop = stopwatch()
    messages = _messages(_records(landed))
    _write(messages, work)
    seconds, cpu_seconds = stop()
    delivered = int((messages["report_status"] == "SUCCESS").sum())
    tell(Outcome(seconds, cpu_seconds, len(messages), delivered, peak_bytes(), written_bytes(work)))


def _records(landed: Path) -> pl.DataFrame:
    """The good records of every push."""
    schema = {"push_id": pl.String, "received_at": pl.String, "body": pl.String}
    files = str(landed / "landing" / "yunpian" / "*" / "*.jsonl")
    pushes = pl.scan_ndjson(files, schema=schema).collect()
    records = [_decode(unquote_plus(body.partition("=")[2])) for body in pushes["body"]]
    return (
        pushes.drop("body")
        .with_columns(pl.concat(records).alias("record"))
        .explode("record")
        .unnest("record")
        .with_columns(pl.col("sid").cast(pl.Int64, strict=False))
        .filter(pl.col("sid").is_not_null() & pl.col("report_status").is_in(["SUCCESS", "FAIL"]))
    )


def _decode(text: str) -> pl.Series:
    """One push as a list of records; all text, for a sid must not pass through a float."""
    try:
        return pl.Series([text]).str.json_decode(_RECORDS)
    except pl.exceptions.ComputeError:
        # polars gives a push up for one element that is no object
        good = [record for record in json.loads(text) if isinstance(record, dict)]
        return pl.Series([json.dumps(good)]).str.json_decode(_RECORDS)


def _messages(records: pl.DataFrame) -> pl.DataFrame:
    """One row a message, with times in UTC and the category of its code."""
    codes = pl.read_csv(_CODES, infer_schema=False).unique("code")["code", "category"]
    handset = (
        pl.col("user_receive_time")
        .str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
        .dt.replace_time_zone("Asia/Shanghai", ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
    )
    return (
        records.sort(["sid", "report_status", "user_receive_time"], descending=[False, True, True])
        .unique("sid", keep="first")
        .with_columns(
            handset=handset,
            received=pl.col("received_at").str.to_datetime(
                "%Y-%m-%dT%H:%M:%S%.fZ", time_zone="UTC"
            ),
        )
        .with_columns(
            event_time=pl.col("handset").fill_null(pl.col("received")),
            report_lag_s=(pl.col("received") - pl.col("handset")).dt.total_microseconds() / 1e6,
        )
        .join(codes, left_on="error_msg", right_on="code", how="left")
    )


def _write(messages: pl.DataFrame, work: Path) -> None:
    """The messages, delivery by hour, latency by hour, failures by day."""
    hour = pl.col("event_time").dt.truncate("1h")
    is_delivered = pl.col("report_status") == "SUCCESS"
    messages.write_parquet(work / "messages.parquet", compression="zstd")
    messages.group_by(hour).agg(pl.len(), is_delivered.mean().alias("rate")).write_parquet(
        work / "delivery.parquet"
    )
    lag = pl.col("report_lag_s")
    messages.filter(is_delivered).group_by(hour).agg(
        lag.quantile(share, "linear").alias(f"p{share}") for share in (0.5, 0.9, 0.95, 0.99)
    ).write_parquet(work / "latency.parquet")
    day = pl.col("event_time").dt.truncate("1d")
    messages.filter(~is_delivered).group_by(day, "category", "error_msg").len().write_parquet(
        work / "failures.parquet"
    )


if __name__ == "__main__":
    main()
