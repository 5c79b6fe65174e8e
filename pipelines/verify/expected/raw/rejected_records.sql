select
    push.push_id,
    reject.position,
    reject.reason,
    reject.field,
    reject.value,
    push.received_us as received_at_utc
from reject
cross join push
    on push.line = reject.line
