/* Failures by category, in steps of at least a day. */
select
    time_bucket(greatest(getvariable('step'), interval 1 day), day_utc::timestamp, getvariable('from_utc'))
        as at_utc,
    error_category as category,
    sum(failures)::bigint as failures
from marts.failures_daily
where day_utc >= getvariable('from_utc') and day_utc < getvariable('to_utc')
group by all
order by all
