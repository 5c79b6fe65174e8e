/* Every report of those messages, in the order they landed, and by the rank of what it says. */
with landed as (
    select
        report.*,
        push.push_id,
        push.received_us,
        push.arrival
    from report
    cross join push
        on push.line = report.line
    where report.sid in (select sid from repeated_sid)
),

ranked as (
    select
        *,
        row_number() over (partition by sid order by arrival, position) as copy_of_sid,
        -- what is absent ranks last
        dense_rank() over (
            partition by sid
            order by
                success desc, handset_us desc, handset_raw desc, code desc, detail desc, uid desc,
                mobile desc
        ) as version
    from landed
)

select
    *,
    row_number() over (partition by sid, version order by copy_of_sid) as copy_of_content,
    count(*) over (partition by sid, version) as content_copies,
    count(*) over (partition by sid) as copies,
    max(version) over (partition by sid) as versions,
    min(received_us) over (partition by sid) as first_us
from ranked
