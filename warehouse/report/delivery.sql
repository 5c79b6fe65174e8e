/* Delivery in steps of time; an empty step is a row, so that a gap looks like a gap. */
with steps as (
    select unnest(range(
        getvariable('from_utc'), getvariable('shown_to_utc'), getvariable('step')
    )) as at_utc
),

counted as (
    select
        time_bucket(getvariable('step'), hour_utc, getvariable('from_utc')) as at_utc,
        sum(reports)::bigint as reports,
        sum(delivered)::bigint as delivered,
        sum(failed)::bigint as failed,
        sum(sent)::bigint as sent,
        sum(sent_delivered)::bigint as sent_delivered,
        sum(pending)::bigint as pending,
        sum(unknown)::bigint as unknown,
        bool_or(provisional) as provisional
    from marts.delivery_hourly
    where hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc')
    group by all
)

select
    at_utc,
    coalesce(reports, 0) as reports,
    coalesce(delivered, 0) as delivered,
    coalesce(failed, 0) as failed,
    rate(delivered, reports) as rate,
    wilson_low(delivered, reports) as low,
    wilson_high(delivered, reports) as high,
    sent,
    pending,
    unknown,
    rate(sent_delivered, sent) as delivery_rate,
    coalesce(provisional, false) as provisional
from steps
left join counted using (at_utc)
order by at_utc
