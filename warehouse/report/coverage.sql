/* Failures of the period that have a code, and how many of those codes are unmapped. */
select
    coalesce(sum(with_code), 0)::bigint as with_code,
    coalesce(sum(unmapped), 0)::bigint as unmapped,
    rate(sum(unmapped), sum(with_code)) as unmapped_share
from marts.code_coverage_daily
where day_utc >= getvariable('from_utc') and day_utc < getvariable('to_utc')
