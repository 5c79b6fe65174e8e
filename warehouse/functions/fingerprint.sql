/*
description: The fingerprint of core.sms_status, a hash over its rows in which their order plays no part.
*/
create or replace temp macro hash_field(field) as
    -- absent and empty must differ, and no field may run into the next
    coalesce(length(field::varchar) || ':' || field::varchar, '-');

create or replace temp macro fingerprint_of(low, high) as
    -- both sums wrap at 2^64; printed as 32 hexadecimal digits
    printf('%016x%016x', (high % 18446744073709551616::hugeint)::ubigint, (low % 18446744073709551616::hugeint)::ubigint);
