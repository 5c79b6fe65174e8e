/* Every push once: of several lines with its id the first counts, but none before one that the warehouse took. */
with counted as (
    select
        line.*,
        row_number() over (
            partition by push_id
            order by (push_id, file) in (select push_id, file from taken_push) desc, line
        ) as nth
    from line
)

select
    line,
    push_id,
    file,
    number,
    received_us,
    sha256,
    body_bytes,
    decoding,
    records,
    rejected,
    repaired_mobiles,
    row_number() over (order by received_us, push_id) as arrival
from counted
where nth = 1
order by line
