/* The days of the report, those it is compared with, and the step of its charts; no row before the first push.

By default the last seven days up to the latest reception, without empty ones before the first message. */
with seen as (
    select
        greatest(as_of_utc, (select max(hour_utc) from marts.delivery_hourly)) as until_utc,
        coalesce(getvariable('last_day')::date, as_of_utc::date) as last_day
    from marts.as_of
    where as_of_utc is not null
),

begun as (
    select min(day_utc) as day
    from marts.delivery_daily, seen
    where day_utc between last_day - 6 and last_day
),

bounds as (
    select
        -- nothing can be shown after the hour of the latest reception or event
        date_trunc('hour', until_utc) + interval 1 hour as until_utc,
        coalesce(getvariable('first_day')::date, begun.day, last_day - 6) as first_day,
        last_day,
        first_day::timestamp as from_utc,
        last_day::timestamp + interval 1 day as to_utc
    from seen, begun
)

select
    first_day,
    last_day,
    last_day - first_day + 1 as days,
    from_utc,
    to_utc,
    if(until_utc > from_utc, least(to_utc, until_utc), to_utc) as shown_to_utc,
    from_utc - (to_utc - from_utc) as before_from_utc,
    -- cut at the same time of day
    before_from_utc + (shown_to_utc - from_utc) as before_to_utc,
    case when days <= 3 then 1 when days <= 14 then 6 when days <= 120 then 24 else 7 * 24 end as step_hours
from bounds
