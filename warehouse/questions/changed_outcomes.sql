/*
question: How many messages were first reported as failed and arrived after all, and how much later?
asked_by: product manager
*/
with outcome as (
    select
        sid,
        min(handset_time_utc) filter (where report_status = 'FAIL') as failed_at_utc,
        min(handset_time_utc) filter (where report_status = 'SUCCESS') as delivered_at_utc,
        count(distinct report_status) as outcomes
    from core.conflicting_reports
    group by sid
)

select
    count(*) filter (where outcomes = 2) as failed_then_delivered,
    median(date_diff('second', failed_at_utc, delivered_at_utc)) as median_s
from outcome
