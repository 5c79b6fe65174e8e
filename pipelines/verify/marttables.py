"""How the marts and the tables of the send log are copied out; the first column is the bucket."""

_DELIVERY = """
    country_code, range_operator, tag,
    reports, delivered, failed, failed_at_recipient, sent, sent_reported, sent_delivered,
    sent_failed_at_recipient, pending, unknown, provisional,
    reported_delivery_rate, reported_delivery_rate_low, reported_delivery_rate_high,
    delivery_rate, delivery_rate_low, delivery_rate_high,
    receipt_rate, receipt_rate_low, receipt_rate_high,
    effective_rate, effective_rate_low, effective_rate_high
"""
MARTS = {
    f"marts.{table}": f"select 0, epoch_us({clock}), {_DELIVERY} from marts.{table}"
    for table, clock in (("delivery_hourly", "hour_utc"), ("delivery_daily", "day_utc"))
} | {
    "marts.failures_daily": """
        select 0, epoch_us(day_utc), country_code, range_operator, error_category, error_party,
            error_permanent, error_code, error_match, failures
        from marts.failures_daily
    """,
    "marts.latency_hourly": """
        select 0, epoch_us(hour_utc), country_code, range_operator, interval,
            n, negative, on_the_minute, minutes_only, p50_s, p90_s, p95_s, p99_s, max_s, coverage
        from marts.latency_hourly
    """,
    "marts.latency_buckets_hourly": """
        select 0, epoch_us(hour_utc), country_code, range_operator, interval, upper_bound_s, n
        from marts.latency_buckets_hourly
    """,
    "marts.code_coverage_daily": """
        select 0, epoch_us(day_utc), country_code, range_operator, failures, with_code, literal,
            pattern, unmapped, literal_share, pattern_share, unmapped_share
        from marts.code_coverage_daily
    """,
    "marts.suspicious_codes_daily": """
        select 0, epoch_us(day_utc), country_code, range_operator, failures, fewest, most,
            chi_square, share
        from marts.suspicious_codes_daily
    """,
    "marts.as_of": """
        select 0, epoch_us(as_of_utc), settled_after_s, epoch_us(final_until_utc),
            epoch_us(unknown_until_utc)
        from marts.as_of
    """,
}
"""Tables compared as a whole, with what is tallied from the messages and sends."""
AS_OF = "select epoch_us(max(received_at_utc)) from raw.pushes"
SENDS = {
    "raw.rejected_sends": "select 0, file, position, reason, field from raw.rejected_sends",
    "ops.send_files": """
        select 0, file, coalesce(bytes, 0), sha256, received, rejected, state from ops.send_files
        where file is not null
    """,
}
"""Tables compared with the files of the send log."""
SENDS_LEDGER = """
    select total_received, total_sends, total_repeated, total_duplicates, total_rejected,
        sends_timezone
    from ops.sends_ledger
    order by sequence desc
    limit 1
"""
