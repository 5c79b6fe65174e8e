/*
question: How long after sending do we know that a message arrived, hour by hour? Needs the send log.
asked_by: on call
parameters:
  day: the day (UTC); by default the latest with figures
*/
select
    hour_utc,
    country_code,
    range_operator,
    n,
    p50_s,
    p95_s,
    max_s
from marts.latency_hourly
where interval = 'end_to_end'
    and hour_utc::date = coalesce(
        getvariable('day')::date,
        (select max(hour_utc)::date from marts.latency_hourly where interval = 'end_to_end')
    )
order by hour_utc, country_code, range_operator
