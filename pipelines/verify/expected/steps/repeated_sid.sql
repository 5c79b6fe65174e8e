/* Messages with more than one report. */
select report.sid
from report
cross join push
    on push.line = report.line
group by report.sid
having count(*) > 1
