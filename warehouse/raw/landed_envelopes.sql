/*
description: Every line of the files at hand, without its body. A line is intact when it has an id, a time, and a body with the digest it was landed with.
grain: line of a landed file
refresh: temporary
*/
with envelope as (
    select
        file,
        push_id,
        case
            when regexp_full_match(
                received_at, '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z'
            )
            then coalesce(
                try_strptime(received_at, '%Y-%m-%dT%H:%M:%S.%fZ'),
                try_strptime(received_at, '%Y-%m-%dT%H:%M:%SZ')
            )
        end as received_at_utc,
        coalesce(sha256(body), sha256(try(from_base64(body_base64)))) as digest,
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
