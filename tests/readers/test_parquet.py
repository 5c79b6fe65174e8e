"""The exports as pandas, PyArrow and Polars read them: types as pinned, numbers as they are."""

from datetime import datetime
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pipelines import models
from tests.readers.published import Published

ARROW = {
    "bigint": pa.int64(),
    "ubigint": pa.uint64(),
    "varchar": pa.string(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
}
PANDAS = {
    "bigint": "int64[pyarrow]",
    "ubigint": "uint64[pyarrow]",
    "varchar": "string[pyarrow]",
    "timestamp": "timestamp[us][pyarrow]",
    "date": "date32[day][pyarrow]",
    "double": "double[pyarrow]",
    "boolean": "bool[pyarrow]",
}
POLARS = {
    "bigint": pl.Int64(),
    "ubigint": pl.UInt64(),
    "varchar": pl.String(),
    "timestamp": pl.Datetime("us"),
    "date": pl.Date(),
    "double": pl.Float64(),
    "boolean": pl.Boolean(),
}


def test_every_table_has_files(published: Published) -> None:
    exported = {name for name, model in models.load_models().items() if model.export}
    assert exported == set(published.files)


def test_pyarrow(published: Published) -> None:
    for table, types in published.types.items():
        for path in published.files[table]:
            found = {field.name: field.type for field in pq.read_schema(path)}
            assert found == {name: ARROW[kind] for name, kind in types.items()}, path
    dataset = ds.dataset([str(path) for path in published.files["core.sms_status"]])
    assert dataset.count_rows() == published.answers["messages"]


def test_pyarrow_finds_the_day_in_the_hive_folders(published: Published) -> None:
    files = [str(path) for path in published.files["core.sms_status"]]
    table = ds.dataset(files, partitioning="hive").to_table(["event_date", "event_time_utc"])
    assert table.num_rows == published.answers["messages"]
    for day, time in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
        assert str(day) == f"{time:%Y-%m-%d}"


def test_pandas_with_arrow_types_keeps_every_digit(published: Published) -> None:
    frames = {}
    for table, types in published.types.items():
        parts = [pd.read_parquet(path, dtype_backend="pyarrow") for path in published.files[table]]
        frames[table] = pd.concat(parts)
        found = {name: str(kind) for name, kind in frames[table].dtypes.items()}
        expected = {name: PANDAS[kind] for name, kind in types.items()}
        assert {k: v.replace("string[pyarrow]", "string") for k, v in found.items()} == {
            k: v.replace("string[pyarrow]", "string") for k, v in expected.items()
        }, table
    messages, daily = frames["core.sms_status"], frames["marts.delivery_daily"]
    assert published.answers == {
        "messages": len(messages),
        "greatest_sid": messages["sid"].max(),
        "delivered": daily["delivered"].sum(),
        "sent": daily["sent"].sum(),
        "last_event": messages["event_time_utc"].max().isoformat(),
        "empty_uids": (messages["uid"] == "").sum(),
        "null_uids": messages["uid"].isna().sum(),
    }


def test_pandas_by_default_keeps_sids_whole(published: Published) -> None:
    frame = pd.concat(pd.read_parquet(path) for path in published.files["core.sms_status"])
    assert str(frame["sid"].dtype) == "int64"
    assert frame["sid"].max() == published.answers["greatest_sid"]
    assert str(frame["event_time_utc"].dtype) == "datetime64[us]"


def test_polars(published: Published) -> None:
    for table, types in published.types.items():
        schema = pl.scan_parquet(published.files[table]).collect_schema()
        assert dict(schema) == {name: POLARS[kind] for name, kind in types.items()}, table
    messages = pl.read_parquet(published.files["core.sms_status"])
    daily = pl.read_parquet(published.files["marts.delivery_daily"])
    last = messages["event_time_utc"].max()
    assert isinstance(last, datetime)
    assert published.answers == {
        "messages": messages.height,
        "greatest_sid": messages["sid"].max(),
        "delivered": daily["delivered"].sum(),
        "sent": daily["sent"].sum(),
        "last_event": last.isoformat(),
        "empty_uids": messages.filter(pl.col("uid") == "").height,
        "null_uids": messages["uid"].null_count(),
    }


def test_polars_computes_the_marts_from_the_messages(published: Published) -> None:
    """The same question on another engine and other files: one number."""
    messages = pl.read_parquet(published.files["core.sms_status"])
    hours = (
        messages.filter("delivered")
        .group_by("event_hour_utc", "country_code", "range_operator")
        .agg(
            pl.col("report_lag_s").quantile(0.95, "linear").alias("p95_s"),
            pl.col("report_lag_s").count().alias("n"),
        )
    )
    truth = published.truth.tables["marts.latency_hourly"]
    expected: dict[tuple[Any, ...], dict[str, Any]] = {
        key[:3]: row for key, row in truth.items() if key[3] == "report_lag"
    }
    assert hours.height == len(expected)
    for *key, p95_s, n in hours.iter_rows():
        assert n == expected[tuple(key)]["n"]
        assert abs(p95_s - expected[tuple(key)]["p95_s"]) < 1e-9
