-- What the other checks read: registries in today's words, the last run of each ledger, a value as
-- a sentence shows it, and counts of the recount. Before format 3 'quarantined' was called 'set_apart'.
create temp macro shown(given) as coalesce(given::varchar, 'null');

create temp view landed_file as
select * replace (if(state = 'set_apart', 'quarantined', state) as state) from ops.files;

create temp view send_file as
select * replace (if(state = 'set_apart', 'quarantined', state) as state) from ops.send_files;

create temp view last_run as
from (select 1) left join ops.ledger on true
order by sequence desc nulls first, run_id desc nulls first
limit 1;

create temp view last_sends_run as
from (select 1) left join ops.sends_ledger on true
order by sequence desc nulls first, run_id desc nulls first
limit 1;

create temp view recounted as
select figure[1] as place, figure[2] as name, figure[3] as counted
from (select unnest(from_json(getvariable('recounted'), '[["VARCHAR"]]')) as figure)
