-- Failures by day and category; a report of at most a week has no longer steps.
select at_utc, error_category as category, sum(failures) as failures
from failure
where period = 'now'
group by 1, 2
order by 1, 2
