/*
question: How long does a message take to the handset, by operator? Exact, over all days. Needs the send log.
asked_by: product manager
parameters:
  tag: one tag of the send log; by default all
*/
select
    range_operator,
    count(handset_latency_s) as n,
    count(*) filter (where handset_latency_s < 0) as negative,
    quantile_cont(handset_latency_s, 0.5) as p50_s,
    quantile_cont(handset_latency_s, 0.95) as p95_s
from core.sms_status
where delivered
    and handset_latency_s is not null
    and coalesce(getvariable('tag'), tag) is not distinct from tag
group by range_operator
order by p95_s desc, range_operator
