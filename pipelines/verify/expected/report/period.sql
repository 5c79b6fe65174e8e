-- The days the published report is about: the last seven up to the latest reception, without empty
-- ones before the first message. No row before the first push.
with seen as (
    select
        max(as_of_utc, coalesce((select max(hour_utc) from marts_delivery_hourly), 0)) as until_utc,
        date(as_of_utc / 1000000, 'unixepoch') as last_day,
        date(as_of_utc / 1000000, 'unixepoch', '-6 days') as week_day
    from marts_as_of
    where as_of_utc is not null
),

bounded as (
    select
        hour_of(until_utc) + 3600000000 as until_utc,
        coalesce(min(day_utc), week_day) as first_day,
        last_day,
        unixepoch(coalesce(min(day_utc), week_day)) * 1000000 as from_utc,
        unixepoch(last_day, '+1 day') * 1000000 as to_utc
    from seen
    left join marts_delivery_daily
        on day_utc between week_day and last_day
    group by until_utc, last_day, week_day
),

shown as (
    select *, iif(until_utc > from_utc, min(to_utc, until_utc), to_utc) as shown_to_utc
    from bounded
)

select
    first_day, last_day, (to_utc - from_utc) / 86400000000 as days,
    from_utc, to_utc, shown_to_utc,
    2 * from_utc - to_utc as before_from_utc,
    from_utc - to_utc + shown_to_utc as before_to_utc,
    iif(to_utc - from_utc <= 3 * 86400000000, 1, 6) as step_hours
from shown
