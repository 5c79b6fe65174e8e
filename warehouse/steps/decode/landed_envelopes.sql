/*
description: Every line of the batch's files, without its body. A line is intact when it has an id, a time, and a body with the digest it was landed with.
grain: line of a landed file
materialized: temporary
*/
with envelope as (
    select
        file,
        push_id,
        reception_time(received_at) as received_at_utc,
        coalesce(text_sha256(body), sha256(try(from_base64(body_base64)))) as digest,
        coalesce(strlen(body), octet_length(try(from_base64(body_base64)))) as body_bytes,
        lower(sha256) as landed_digest
    from landed_lines
)

select
    file,
    push_id,
    received_at_utc,
    digest as sha256,
    body_bytes,
    push_id is not null
        and received_at_utc is not null
        and digest is not null
        and coalesce(landed_digest, digest) = digest as intact
from envelope
