-- The same of the send log.
select
    (select count(*) from send) + (select count(*) from rejected_send) as received,
    (select count(*) from sent where not repeated) as sends,
    (select count(*) from sent where repeated) as repeated,
    (select coalesce(sum(copies - 1), 0) from sent) as duplicates,
    (select count(*) from rejected_send) as rejected
