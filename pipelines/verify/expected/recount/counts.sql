-- What the recount gives as a whole.
select
    (select count(*) from push) as pushes,
    (select coalesce(sum(records), 0) from push) as records,
    (select count(*) from core_sms_status) as messages,
    (select coalesce(sum(copy_of_content > 1), 0) from copy) as duplicates,
    (select coalesce(sum(copy_of_content = 1 and copy_of_sid > 1), 0) from copy) as conflicts,
    (select coalesce(sum(rejected), 0) from push) as rejected,
    (select count(*) from send) as sends
