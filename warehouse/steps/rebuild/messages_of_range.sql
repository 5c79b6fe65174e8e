/*
description: Messages from first_sid to last_sid, reported or sent.
grain: sid
materialized: view
*/
select sid
from core.sms_status
where sid between getvariable('first_sid') and getvariable('last_sid')

union

select sid
from raw.sends
where sid between getvariable('first_sid') and getvariable('last_sid')
