/*
description: The moment the marts spoke of until now.
grain: one row
materialized: temporary
reads: previous
*/
select
    final_until_utc,
    unknown_until_utc
from marts.as_of
