-- Failures by category, with the share each had in the period before.
with counted as (
    select
        error_category as category,
        error_party as party,
        sum(iif(period = 'now', failures, 0)) as failures,
        sum(iif(period = 'now' and error_permanent = 'yes', failures, 0)) as permanent,
        sum(iif(period = 'before', failures, 0)) as failures_before
    from failure
    group by 1, 2
)

select
    category, party, failures, permanent,
    rate(failures, (select sum(failures) from counted)) as share,
    rate(failures_before, (select sum(failures_before) from counted)) as share_before
from counted
where failures > 0
order by failures desc, category
