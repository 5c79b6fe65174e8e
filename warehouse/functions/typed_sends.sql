/*
description: What stands in a send log, read in one way only. Times are ISO 8601 or close to it (T or a blank, seconds and their fraction or none, a zone or none) or whole seconds, milliseconds or microseconds since 1970, told apart by their 10, 13 or 16 digits.
*/
create or replace temp macro present(text) as
    -- CSV cannot tell empty from absent, so nothing does
    nullif(text, '');

create or replace temp macro sid_or_null(text) as
    -- as in a push: a whole 64-bit number in digits; leading zeros do not count
    case
        when regexp_full_match(text, '-?[0-9]+')
        then try_cast(text as bigint)
    end;

create or replace temp macro epoch_time(text) as
    case
        when regexp_full_match(text, '[0-9]{10}(\.[0-9]+)?')
            then make_timestamp(left(text, 10)::bigint * 1000000 + rpad(substr(text, 12, 6), 6, '0')::bigint)
        when regexp_full_match(text, '[0-9]{13}') then make_timestamp(text::bigint * 1000)
        when regexp_full_match(text, '[0-9]{16}') then make_timestamp(text::bigint)
    end;

create or replace temp macro is_iso_time(text) as
    regexp_full_match(
        text,
        '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?(?: ?(?:Z|[+-][01][0-9](?::?[0-5][0-9])?))?'
    );

create or replace temp macro names_a_zone(text) as
    -- behind the day, of whose dashes none is a sign
    regexp_matches(substr(text, 11), 'Z|[+-]');

create or replace temp macro iso_time(text, zone) as
    case
        when not is_iso_time(text) then null
        when names_a_zone(text)
            then timezone('UTC', try_cast(replace(replace(text, ' +', '+'), ' -', '-') as timestamptz))
        when zone = 'UTC' then try_cast(text as timestamp)
        else utc_of_local(try_cast(text as timestamp), zone)
    end;

create or replace temp macro believable(sent_at_utc) as
    -- what lies outside is another unit or a clock that was never set
    case
        when sent_at_utc >= timestamp '2010-01-01' and sent_at_utc < timestamp '2100-01-01'
        then sent_at_utc
    end;

create or replace temp macro sent_time(text, zone) as
    believable(
        case
            when contains(text, '-') then iso_time(trim(text), zone)
            else epoch_time(trim(text))
        end
    );

-- assert: sid_or_null('007') = 7
-- assert: sid_or_null('-0000000000000000000000000000000000000000000001') = -1
-- assert: sid_or_null('-9223372036854775808') = -9223372036854775808
-- assert: sid_or_null('9223372036854775808') is null
-- assert: sid_or_null('1e5') is null
-- assert: sid_or_null(' 1') is null
-- assert: present('') is null
-- assert: sent_time('2026-01-05T00:00:01.250Z', 'Asia/Shanghai') = timestamp '2026-01-05 00:00:01.25'
-- assert: sent_time('2026-01-05 00:00:01', 'Asia/Shanghai') = timestamp '2026-01-04 16:00:01'
-- assert: sent_time('2026-01-05 00:00', 'UTC') = timestamp '2026-01-05'
-- assert: sent_time('2026-01-05T00:00:01.1234569+0800', 'UTC') = timestamp '2026-01-04 16:00:01.123456'
-- assert: sent_time('2026-01-05 00:00:01 -05', 'UTC') = timestamp '2026-01-05 05:00:01'
-- assert: sent_time('2026-11-01 01:30:00', 'America/New_York') = timestamp '2026-11-01 05:30:00'
-- assert: sent_time('1767571201', 'Asia/Shanghai') = timestamp '2026-01-05 00:00:01'
-- assert: sent_time('1767571201.25', 'UTC') = timestamp '2026-01-05 00:00:01.25'
-- assert: sent_time('1767571201250', 'UTC') = timestamp '2026-01-05 00:00:01.25'
-- assert: sent_time('1767571201250123', 'UTC') = timestamp '2026-01-05 00:00:01.250123'
-- assert: sent_time('20260105000001', 'UTC') is null
-- assert: sent_time('2026-02-30 00:00:00', 'UTC') is null
-- assert: sent_time('2026-01-05 24:00:00', 'UTC') is null
-- assert: sent_time('2026-01-05', 'UTC') is null
-- assert: sent_time('1970-01-01 00:00:00', 'UTC') is null
-- assert: sent_time(null, 'UTC') is null
