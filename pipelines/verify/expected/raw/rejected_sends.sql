select
    file,
    position,
    reason,
    field,
    value
from rejected_send
