/*
description: The receiver's times, the provider's naive ones, and the clock events are grouped by.
*/
create or replace temp macro local_time_or_null(text) as
    -- the provider's one format; anything else, or no date of the calendar, is unreadable
    case
        when regexp_full_match(text, '[1-9][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}')
        then try_strptime(text, '%Y-%m-%d %H:%M:%S')
    end;

create or replace temp macro reception_time(text) as
    -- the receiver's own clock, in UTC
    case
        when regexp_full_match(
            text, '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z'
        )
        then coalesce(
            try_strptime(text, '%Y-%m-%dT%H:%M:%S.%fZ'),
            try_strptime(text, '%Y-%m-%dT%H:%M:%SZ')
        )
    end;

create or replace temp macro local_of_utc(utc_time, zone) as
    timezone(zone, timezone('UTC', utc_time));

create or replace temp macro utc_before_change(local_time, latest, zone) as
    -- the time in UTC, were the clocks still what they were three hours before
    local_time - (local_of_utc(latest - interval 3 hour, zone) - (latest - interval 3 hour));

create or replace temp macro first_of_two(local_time, latest, earlier, zone) as
    -- where clocks are set back and a local time comes twice, the first of the two is taken
    case when local_of_utc(earlier, zone) = local_time then earlier else latest end;

create or replace temp macro utc_of_local(local_time, zone) as
    first_of_two(
        local_time,
        timezone('UTC', timezone(zone, local_time)),
        utc_before_change(local_time, timezone('UTC', timezone(zone, local_time)), zone),
        zone
    );

create or replace temp macro handset_time(text) as
    utc_of_local(local_time_or_null(text), getvariable('provider_timezone'));

create or replace temp macro plausible_time(handset_time_utc, received_at_utc) as
    -- clocks of handsets are set wrong: null what is older than SMS pushes, or from the future
    case
        when handset_time_utc >= timestamp '2010-01-01'
            and handset_time_utc <= received_at_utc + interval 1 day
        then handset_time_utc
    end;

create or replace temp macro seconds_between(earlier, later) as
    (epoch_us(later) - epoch_us(earlier)) / 1e6;

-- assert: utc_of_local(local_time_or_null('2014-03-17 22:55:21'), 'Asia/Shanghai') = timestamp '2014-03-17 14:55:21'
-- assert: utc_of_local(timestamp '2026-11-01 01:30:00', 'America/New_York') = timestamp '2026-11-01 05:30:00'
-- assert: utc_of_local(timestamp '2026-03-08 02:30:00', 'America/New_York') = timestamp '2026-03-08 07:30:00'
-- assert: utc_of_local(timestamp '1986-03-16 01:30:00', 'Australia/Lord_Howe') = timestamp '1986-03-15 14:30:00'
-- assert: utc_of_local(timestamp '2026-07-01 12:00:00', 'America/New_York') = timestamp '2026-07-01 16:00:00'
-- assert: reception_time('2026-11-23T06:15:00.5Z') = timestamp '2026-11-23 06:15:00.5'
-- assert: reception_time('2026-11-23T06:15:00') is null
-- assert: local_time_or_null('2026-02-30 00:00:00') is null
-- assert: local_time_or_null('2026-02-03 24:00:00') is null
-- assert: local_time_or_null('0000-00-00 00:00:00') is null
-- assert: plausible_time(timestamp '2009-12-31', timestamp '2026-01-01') is null
-- assert: plausible_time(timestamp '2026-01-02', timestamp '2026-01-01') = timestamp '2026-01-02'
-- assert: plausible_time(timestamp '2026-01-02 00:00:01', timestamp '2026-01-01') is null
-- assert: seconds_between(timestamp '2026-01-01 00:00:01', timestamp '2026-01-01 00:00:00.5') = -0.5
