/*
description: The watermark of the previous refresh of the marts.
grain: one row
materialized: temporary
reads: previous
*/
select
    final_until_utc,
    unknown_until_utc
from marts.as_of
