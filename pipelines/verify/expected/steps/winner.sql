/* The report that stands for each message, at the first push that brought it. */
select
    report.sid, report.position, report.success, report.handset_us, report.handset_raw,
    report.code, report.detail, report.uid, report.mobile, report.mobile_e164,
    report.country_code, report.range_operator, push.push_id, push.received_us,
    push.received_us as first_us,
    1 as copies,
    0 as conflicting
from report
cross join push
    on push.line = report.line
where report.sid not in (select sid from repeated_sid)

union all

select
    sid, position, success, handset_us, handset_raw, code, detail, uid, mobile, mobile_e164,
    country_code, range_operator, push_id, received_us, first_us,
    copies,
    versions > 1 as conflicting
from copy
where version = 1
    and copy_of_content = 1
