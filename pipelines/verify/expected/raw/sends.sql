select
    file,
    position,
    sid,
    uid,
    sent_us as sent_at_utc,
    tag,
    mobile
from send
