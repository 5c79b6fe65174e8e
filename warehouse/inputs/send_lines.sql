/*
description: Lines of one JSON Lines file of the send log; here none.
grain: line
materialized: temporary
columns:
  line: varchar -- Text of the line.
*/
select null::varchar as line
where false
