/*
description: The provider's times in these reports, in UTC. Converted once each, because many reports share a second and time zones are slow.
grain: handset_time_raw
materialized: temporary
*/
with sent as (
    select handset_time_raw
    from new_records

    union

    select handset_time_raw
    from earlier_reports
)

select
    handset_time_raw,
    handset_time(handset_time_raw) as handset_time_utc
from sent
where handset_time_raw is not null
