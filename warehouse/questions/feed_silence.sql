/*
question: When was the feed silent longest? A long silence by day is an outage, of the provider or of ours.
asked_by: on call
*/
with gap as (
    select
        lag(received_at_utc) over (order by received_at_utc) as silent_from_utc,
        received_at_utc as silent_until_utc
    from raw.pushes
)

select
    silent_from_utc,
    silent_until_utc,
    date_diff('microsecond', silent_from_utc, silent_until_utc) / 1e6 as seconds
from gap
where silent_from_utc is not null
order by seconds desc, silent_from_utc
limit 10
