/*
description: What a row of core.sms_status is hashed from; the sums over the rows are printed as the fingerprint (pipelines/ledger.py).
*/
create or replace temp macro hash_field(field) as
    -- absent and empty must differ, and no field may run into the next
    coalesce(length(field::varchar) || ':' || field::varchar, '-');

-- assert: hash_field(null) <> hash_field('')
-- assert: hash_field('a') || hash_field('bc') <> hash_field('ab') || hash_field('c')
