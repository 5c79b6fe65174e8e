"""What the report shows, computed with Polars from the Parquet files that the manifest names.

From the marts, added up; rates and percentiles by formulas of its own, the ends of intervals by the
exact arithmetic of `tests/truth`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from tests.truth.arithmetic import wilson

Rows = list[dict[str, Any]]
_MADE_UP = ("DB:0102", "CA:0051", "DB:0140", "DB:0103", "CB:0007", "MK:0021")
_OF_SENDS = ("sent", "sent_reported", "sent_delivered", "sent_failed_at_recipient")
_UNREPORTED = ("pending", "unknown")


class ByPolars:
    """The files of one publication, asked for some days."""

    def __init__(self, files: Mapping[str, Sequence[Path]], period: Mapping[str, Any]) -> None:
        self._files = files
        self._period = period
        self._begin: datetime = period["from_utc"]
        self._end: datetime = period["to_utc"]
        self._step = timedelta(hours=period["step_hours"])

    def answers(self) -> dict[str, Rows]:
        """All that the report shows, by the names of its figures."""
        asked: dict[str, Callable[[], pl.DataFrame]] = {
            "state": self._state,
            "headline": self._headline,
            "delivery": self._delivery,
            "countries": lambda: self._places("country_code"),
            "operators": lambda: self._places("country_code", "range_operator"),
            "causes": self._causes,
            "failures": self._failures,
            "codes": self._codes,
            "latency": lambda: self._latency(self._in_steps("at_utc"), "at_utc"),
            "latency_headline": lambda: self._latency(self._in_periods(), "period"),
            "latency_operators": self._latency_operators,
            "distribution": self._distribution,
            "health": self._health,
            "unmapped": self._unmapped,
            "coverage": self._coverage,
            "suspicious": self._suspicious,
        }
        return {name: question().to_dicts() for name, question in asked.items()}

    def _read(self, table: str) -> pl.DataFrame:
        return pl.read_parquet(list(self._files[table]))

    def _hours(self, table: str) -> pl.DataFrame:
        return self._read(table).filter(
            pl.col("hour_utc").is_between(self._begin, self._end, closed="left")
        )

    def _state(self) -> pl.DataFrame:
        pushes = self._read("raw.pushes")
        hours = self._read("marts.delivery_hourly")["hour_utc"]
        return pushes.select(
            pl.col("received_at_utc").max().alias("as_of_utc"),
            pl.col("received_at_utc").min().dt.truncate("1h").alias("first_received_utc"),
            pl.lit(hours.min()).dt.date().alias("first_day_utc"),
            pl.lit(hours.max()).dt.date().alias("last_day_utc"),
            pl.lit(hours.max()).alias("last_hour_utc"),
            pl.col("records", "duplicates", "conflicts", "rejected").sum(),
            pl.col("accepted").sum().alias("messages"),
            pl.lit(0).alias("erased"),
            (
                pl.sum("records") - pl.sum("duplicates") - pl.sum("conflicts") - pl.sum("rejected")
                == self._read("core.sms_status").height
            ).alias("balanced"),
        )

    def _headline(self) -> pl.DataFrame:
        counts = ("reports", "delivered", "failed", "failed_at_recipient")
        frame = self._with_period(self._read("marts.delivery_hourly"))
        rows = frame.group_by("period").agg(
            *(pl.sum(name) for name in counts),
            *(_sum_or_null(name) for name in (*_OF_SENDS, *_UNREPORTED)),
            pl.col("reports").filter("provisional").sum().alias("provisional_reports"),
        )
        rows = rows.with_columns(
            could_arrive=pl.col("sent") - pl.col("pending") - pl.col("sent_failed_at_recipient")
        )
        for name, part, whole in (
            ("reported_delivery_rate", "delivered", "reports"),
            ("delivery_rate", "sent_delivered", "sent"),
            ("receipt_rate", "sent_reported", "sent"),
            ("effective_rate", "sent_delivered", "could_arrive"),
        ):
            rows = _with_interval(rows, part, whole, f"{name}_low", f"{name}_high")
            rows = rows.with_columns(_share(part, whole).alias(name))
        return rows

    def _with_period(self, frame: pl.DataFrame) -> pl.DataFrame:
        hour, period = pl.col("hour_utc"), self._period
        now = hour.is_between(self._begin, self._end, closed="left")
        before = hour.is_between(period["before_from_utc"], period["before_to_utc"], closed="left")
        name = pl.when(now).then(pl.lit("now")).when(before).then(pl.lit("before"))
        return frame.with_columns(period=name).drop_nulls("period")

    def _every_step(self, length: timedelta) -> pl.DataFrame:
        times = pl.datetime_range(
            self._begin, self._period["shown_to_utc"], length, closed="left", eager=True
        )
        return pl.DataFrame({"at_utc": times})

    def _step_of(self, column: str, length: timedelta) -> pl.Expr:
        since = pl.col(column).cast(pl.Datetime("us")) - self._begin
        whole = since.dt.total_microseconds() // (length // timedelta(microseconds=1))
        return (self._begin + whole * length).alias("at_utc")

    def _delivery(self) -> pl.DataFrame:
        rows = (
            self._hours("marts.delivery_hourly")
            .group_by(self._step_of("hour_utc", self._step))
            .agg(
                pl.sum("reports", "delivered", "failed"),
                *(_sum_or_null(name) for name in ("sent", "sent_delivered", *_UNREPORTED)),
                pl.col("provisional").any(),
            )
        )
        rows = self._every_step(self._step).join(rows, on="at_utc", how="left")
        rows = rows.with_columns(
            pl.col("reports", "delivered", "failed").fill_null(0),
            pl.col("provisional").fill_null(value=False),
            rate=_share("delivered", "reports"),
            delivery_rate=_share("sent_delivered", "sent"),
        )
        return _with_interval(rows, "delivered", "reports", "low", "high").drop("sent_delivered")

    def _places(self, *place: str) -> pl.DataFrame:
        frame = self._with_period(self._read("marts.delivery_hourly"))
        now = pl.col("period") == "now"
        rows = frame.group_by(place).agg(
            *(pl.col(name).filter(now).sum() for name in ("reports", "delivered")),
            *(_sum_or_null(name, now) for name in ("sent", "sent_delivered")),
            *(
                pl.col(name).filter(~now).sum().alias(f"{name}_before")
                for name in ("reports", "delivered")
            ),
        )
        rows = rows.with_columns(
            share=_share_of_all("reports"),
            rate=_share("delivered", "reports"),
            rate_before=_share("delivered_before", "reports_before"),
            delivery_rate=_share("sent_delivered", "sent"),
        )
        rows = _with_interval(rows, "delivered", "reports", "low", "high")
        return rows.filter((pl.col("reports") > 0) | (pl.col("sent") > 0)).drop(
            "sent_delivered", "reports_before", "delivered_before"
        )

    def _failed(self) -> pl.DataFrame:
        """Failures of the days."""
        days = (self._begin.date(), self._end.date())
        return self._read("marts.failures_daily").filter(
            pl.col("day_utc").is_between(*days, closed="left")
        )

    def _causes(self) -> pl.DataFrame:
        frame = self._read("marts.failures_daily")
        days = (self._period["before_from_utc"].date(), self._begin.date())
        before = (
            frame.filter(pl.col("day_utc").is_between(*days, closed="left"))
            .group_by("error_category", "error_party")
            .agg(before=pl.sum("failures"))
        )
        total = before["before"].sum()
        permanent = pl.col("error_permanent") == "yes"
        rows = (
            self._failed()
            .group_by("error_category", "error_party")
            .agg(
                pl.sum("failures"),
                permanent=pl.col("failures").filter(permanent).sum(),
            )
            .join(before, on=["error_category", "error_party"], how="left", nulls_equal=True)
        )
        totals = pl.Series("total", [total] * rows.height)
        rows = rows.with_columns(pl.col("before").fill_null(0), totals)
        return rows.select(
            category="error_category",
            party="error_party",
            failures="failures",
            permanent="permanent",
            share=_share_of_all("failures"),
            share_before=_share("before", "total"),
        )

    def _failures(self) -> pl.DataFrame:
        length = max(self._step, timedelta(days=1))
        return (
            self._failed()
            .group_by(self._step_of("day_utc", length), category="error_category")
            .agg(pl.sum("failures"))
        )

    def _codes(self) -> pl.DataFrame:
        rows = (
            self._failed()
            .group_by(
                code="error_code",
                category="error_category",
                party="error_party",
                match="error_match",
            )
            .agg(pl.sum("failures"))
            .with_columns(share=_share_of_all("failures"))
        )
        order = ["failures", "code", "category"]
        return rows.sort(order, descending=[True, False, False], nulls_last=True).head(12)

    def _in_steps(self, name: str) -> pl.DataFrame:
        frame = self._hours("marts.latency_buckets_hourly")
        return frame.with_columns(self._step_of("hour_utc", self._step).alias(name))

    def _in_periods(self) -> pl.DataFrame:
        return self._with_period(self._read("marts.latency_buckets_hourly"))

    def _latency(self, buckets: pl.DataFrame, *cut: str) -> pl.DataFrame:
        keys = ("interval", *cut)
        return (
            buckets.group_by(*keys, "upper_bound_s")
            .agg(pl.sum("n"))
            .sort("upper_bound_s")
            .group_by(keys)
            .agg(
                pl.sum("n").alias("all"),
                *(
                    pl.col("upper_bound_s")
                    .filter(100 * pl.cum_sum("n") >= hundredths * pl.sum("n"))
                    .first()
                    .alias(f"p{hundredths}_s")
                    for hundredths in (50, 95, 99)
                ),
            )
            .rename({"all": "n"})
        )

    def _latency_operators(self) -> pl.DataFrame:
        place = ("country_code", "range_operator")
        exact = (
            self._hours("marts.latency_hourly")
            .group_by("interval", *place)
            .agg(
                pl.sum("negative"),
                pl.max("max_s"),
                whole=_sum_or_null("on_the_minute"),
                measured=pl.sum("n"),
            )
        )
        rows = self._latency(self._hours("marts.latency_buckets_hourly"), *place)
        rows = rows.join(exact, on=["interval", *place], how="left", nulls_equal=True)
        enough = pl.col("measured") >= 10
        return rows.with_columns(
            minutes_only=pl.when(enough).then(2 * pl.col("whole") >= pl.col("measured"))
        ).drop("whole", "measured")

    def _distribution(self) -> pl.DataFrame:
        return (
            self._hours("marts.latency_buckets_hourly")
            .group_by("interval", "upper_bound_s")
            .agg(pl.sum("n"))
            .with_columns(share=pl.col("n") / pl.col("n").sum().over("interval"))
        )

    def _health(self) -> pl.DataFrame:
        counts = (
            *("pushes", "records", "accepted", "duplicates", "conflicts", "rejected"),
            *("undecodable_pushes", "salvaged_pushes"),
        )
        rows = (
            self._hours("marts.push_health_hourly")
            .group_by(self._step_of("hour_utc", self._step))
            .agg(pl.sum(*counts), pl.max("p95_report_lag_s").alias("worst_p95_report_lag_s"))
        )
        rows = self._every_step(self._step).join(rows, on="at_utc", how="left")
        return rows.with_columns(pl.col(*counts).fill_null(0))

    def _unmapped(self) -> pl.DataFrame:
        inside = (
            self._failed()
            .filter(pl.col("error_match") == "none")
            .group_by(operator="range_operator", code="error_code")
            .agg(pl.sum("failures"))
        )
        # codes that differ only in a phone number, which is struck out, are one to a reader
        seen = (
            self._read("marts.unmapped_errors")
            .group_by("operator", code="error_code")
            .agg(pl.min("first_seen_utc"), pl.max("last_seen_utc"))
        )
        rows = inside.join(seen, on=["operator", "code"], nulls_equal=True)
        order = ["failures", "operator", "code"]
        return rows.sort(order, descending=[True, False, False], nulls_last=True).head(50)

    def _coverage(self) -> pl.DataFrame:
        text = pl.col("error_code").str.strip_chars()
        rows = self._failed().filter(text.str.len_chars() > 0)
        counted = rows.select(
            with_code=pl.sum("failures"),
            unmapped=pl.col("failures").filter(pl.col("error_match") == "none").sum(),
        )
        return counted.with_columns(unmapped_share=_share("unmapped", "with_code"))

    def _suspicious(self) -> pl.DataFrame:
        cut = ("day_utc", "country_code", "range_operator")
        code = pl.col("error_code").str.strip_chars().str.to_uppercase()
        known = pl.col("code").is_in(_MADE_UP)
        mean = pl.col("failures").filter(known).sum() / 6
        return (
            self._failed()
            .group_by(*cut, code=code)
            .agg(pl.sum("failures"))
            .group_by(cut)
            .agg(
                pl.col("failures").filter(known).sum(),
                share=pl.col("failures").filter(known).sum() / pl.col("failures").sum(),
                chi_square=((pl.col("failures").filter(known) - mean) ** 2 / mean).sum(),
                kinds=known.sum(),
            )
            .filter(
                (pl.col("kinds") == 6) & (pl.col("failures") >= 60) & (pl.col("chi_square") < 11.07)
            )
            .drop("kinds")
        )


def _sum_or_null(name: str, which: pl.Expr | None = None) -> pl.Expr:
    """Sum of what is known; null where nothing is."""
    column = pl.col(name) if which is None else pl.col(name).filter(which)
    return pl.when(column.count() > 0).then(column.sum()).alias(name)


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


def _share_of_all(part: str) -> pl.Expr:
    """The sum as a column of its own: by a single number Polars divides less exactly."""
    return pl.col(part) / pl.col(part).sum().over(pl.lit(1))


def _with_interval(rows: pl.DataFrame, part: str, whole: str, low: str, high: str) -> pl.DataFrame:
    """Both ends of Wilson's interval, exactly computed and rounded once."""
    ends = [wilson(*pair) for pair in rows.select(part, whole).iter_rows()]
    return rows.with_columns(
        pl.Series(low, [one for one, _ in ends], pl.Float64),
        pl.Series(high, [one for _, one in ends], pl.Float64),
    )
