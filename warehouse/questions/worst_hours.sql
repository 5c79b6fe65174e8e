/*
question: In which hours did least arrive? Look there first when somebody says that messages do not come.
asked_by: on call
parameters:
  reports: fewest reports an hour must have to be counted; 20 by default
*/
select
    hour_utc,
    sum(reports)::bigint as reports,
    sum(failed)::bigint as failed,
    rate(sum(delivered), sum(reports)) as reported_delivery_rate
from marts.delivery_hourly
group by hour_utc
having sum(reports) >= coalesce(getvariable('reports')::bigint, 20)
order by reported_delivery_rate, hour_utc
limit 10
