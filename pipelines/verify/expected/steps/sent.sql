/* Every distinct line of the send log; of several with one sid the first counts, the others repeat it. */
with several as (
    select sid
    from send
    where sid is not null
    group by sid
    having count(*) > 1
),

line as (
    select sid, uid, sent_us, tag, mobile, country_code, range_operator, count(*) as copies
    from send
    where sid in (select sid from several)
        or sid is null
    group by sid, uid, sent_us, tag, mobile
)

select
    sid, uid, sent_us, tag, mobile, country_code, range_operator, copies,
    sid is not null and row_number() over (
        partition by sid
        order by sent_us, tag nulls last, uid nulls last, mobile nulls last
    ) > 1 as repeated
from line

union all

select
    sid, uid, sent_us, tag, mobile, country_code, range_operator, 1 as copies, 0 as repeated
from send
where sid is not null
    and sid not in (select sid from several)
