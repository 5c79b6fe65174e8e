/*
description: Messages of which a retracted push brought a report.
grain: sid
materialized: view
*/
select sid
from core.sms_status
where push_id in (select push_id from retracted_pushes)

union

select sid
from core.repeated_reports
where push_id in (select push_id from retracted_pushes)
