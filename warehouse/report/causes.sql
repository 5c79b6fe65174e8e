/* Why messages failed: by category and party at fault, with the share in the whole days of the previous period. */
with counted as (
    select
        error_category as category,
        error_party as party,
        sum(failures) filter (where day_utc >= getvariable('from_utc'))::bigint as failures,
        sum(failures) filter (where day_utc >= getvariable('from_utc') and error_permanent = 'yes')::bigint
            as permanent,
        sum(failures) filter (where day_utc < getvariable('from_utc'))::bigint as failures_before
    from marts.failures_daily
    where day_utc >= getvariable('before_from_utc') and day_utc < getvariable('to_utc')
    group by all
),

shared as (
    select
        category,
        party,
        failures,
        coalesce(permanent, 0) as permanent,
        rate(failures, sum(failures) over ()) as share,
        rate(coalesce(failures_before, 0), sum(failures_before) over ()) as share_before
    from counted
)

from shared
where failures > 0
order by failures desc, category
