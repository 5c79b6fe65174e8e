-- What the report shows, asked of analytics.duckdb message by message: nothing here comes from
-- warehouse/report. Of the marts only what no published row tells: the lag in the feed's health, which
-- every copy of a report decides, and up to which hour counts are final.

-- prepare: outcome
create temp table outcome as
with every as (
    select
        event_time_utc as at_utc, country_code, range_operator, true as is_reported, delivered as is_delivered,
        not delivered as is_failed,
        coalesce(error_party in ('recipient', 'handset'), false) as at_recipient,
        sent_at_utc is not null as is_sent, false as is_pending, false as is_unknown
    from core.sms_status
    union all
    select
        sent_at_utc, country_code, range_operator, false, false, false, false, true,
        sent_at_utc > (select max(received_at_utc) from raw.pushes) - interval 72 hour,
        sent_at_utc <= (select max(received_at_utc) from raw.pushes) - interval 72 hour
    from core.sends
    where match = 'none'
)
select
    *,
    date_trunc('hour', at_utc) > (select final_until_utc from marts.as_of) as is_provisional,
    time_bucket(to_hours(getvariable('step_hours')), at_utc, getvariable('from_utc')) as step_utc,
    case
        when at_utc >= getvariable('from_utc') and at_utc < getvariable('to_utc') then 'now'
        when at_utc >= getvariable('before_from_utc') and at_utc < getvariable('before_to_utc')
        then 'before'
    end as period
from every;

-- prepare: latency
create temp table latency as
with every as (
    unpivot (
        select
            event_time_utc as at_utc, country_code, range_operator,
            second(handset_time_utc) = 0 as whole_minute,
            report_lag_s as report_lag, handset_latency_s as handset_latency, end_to_end_s as end_to_end
        from core.sms_status
        where delivered
    ) on report_lag, handset_latency, end_to_end into name interval value seconds
)
select
    *,
    coalesce(
        list_min(list_filter([1, 2, 3, 5, 10, 30, 60, 180, 600, 3600], lambda one: one >= seconds))
            ::double,
        'infinity'::double
    ) as bound,
    time_bucket(to_hours(getvariable('step_hours')), at_utc, getvariable('from_utc')) as step_utc,
    case
        when at_utc >= getvariable('from_utc') and at_utc < getvariable('to_utc') then 'now'
        when at_utc >= getvariable('before_from_utc') and at_utc < getvariable('before_to_utc')
        then 'before'
    end as period
from every;

-- prepare: failure
create temp table failure as
select
    *,
    event_time_utc::date as day_utc,
    coalesce(regexp_matches(error_code, '[^\s\p{Z}]'), false) as has_code,
    upper(trim(error_code)) in ('DB:0102', 'CA:0051', 'DB:0140', 'DB:0103', 'CB:0007', 'MK:0021')
        as often_made_up,
    case
        when event_time_utc >= getvariable('from_utc') and event_time_utc < getvariable('to_utc')
        then 'now'
        when event_time_utc >= getvariable('before_from_utc')
            and event_time_utc < getvariable('from_utc')
        then 'before'
    end as period
from core.sms_status
where not delivered;

-- prepare: counts
create temp macro known(n, sends) as case when sends > 0 then n end;

-- prepare: at rank
create temp macro at_rank(bounds, hundredths) as
    list_sort(bounds)[greatest(1, (len(bounds) * hundredths + 99) // 100)];

-- state
select
    max(received_at_utc) as as_of_utc,
    date_trunc('hour', min(received_at_utc)) as first_received_utc,
    (select min(at_utc)::date from outcome) as first_day_utc,
    (select max(at_utc)::date from outcome) as last_day_utc,
    (select date_trunc('hour', max(at_utc)) from outcome) as last_hour_utc,
    sum(records)::bigint as records,
    any_value(taken.n) as messages,
    sum(duplicates)::bigint as duplicates,
    sum(conflicts)::bigint as conflicts,
    any_value(refused.n) as rejected,
    0 as erased,
    sum(records) = any_value(taken.n) + sum(duplicates) + sum(conflicts) + any_value(refused.n)
        as balanced
from raw.pushes
cross join (select count(*) as n from core.sms_status) as taken
cross join (select count(*) as n from raw.rejected_records) as refused;

-- headline
select
    period,
    count_if(is_reported) as reports,
    count_if(is_delivered) as delivered,
    count_if(is_failed) as failed,
    count_if(is_failed and at_recipient) as failed_at_recipient,
    nullif(count_if(is_sent), 0) as sent,
    known(count_if(is_sent and is_reported), count_if(is_sent)) as sent_reported,
    known(count_if(is_sent and is_delivered), count_if(is_sent)) as sent_delivered,
    known(count_if(is_sent and is_failed and at_recipient), count_if(is_sent)) as sent_failed_at_recipient,
    known(count_if(is_pending), count_if(is_sent)) as pending,
    known(count_if(is_unknown), count_if(is_sent)) as unknown,
    count_if(is_reported and is_provisional) as provisional_reports,
    sent - pending - sent_failed_at_recipient as could_arrive,
    rate(delivered, reports) as reported_delivery_rate,
    wilson_low(delivered, reports) as reported_delivery_rate_low,
    wilson_high(delivered, reports) as reported_delivery_rate_high,
    rate(sent_delivered, sent) as delivery_rate,
    wilson_low(sent_delivered, sent) as delivery_rate_low,
    wilson_high(sent_delivered, sent) as delivery_rate_high,
    rate(sent_reported, sent) as receipt_rate,
    wilson_low(sent_reported, sent) as receipt_rate_low,
    wilson_high(sent_reported, sent) as receipt_rate_high,
    rate(sent_delivered, could_arrive) as effective_rate,
    wilson_low(sent_delivered, could_arrive) as effective_rate_low,
    wilson_high(sent_delivered, could_arrive) as effective_rate_high
from outcome
where period is not null
group by period;

-- delivery
select
    step.at_utc,
    count_if(is_reported) as reports,
    count_if(is_delivered) as delivered,
    count_if(is_failed) as failed,
    rate(count_if(is_delivered), count_if(is_reported)) as rate,
    wilson_low(count_if(is_delivered), count_if(is_reported)) as low,
    wilson_high(count_if(is_delivered), count_if(is_reported)) as high,
    nullif(count_if(is_sent), 0) as sent,
    known(count_if(is_pending), count_if(is_sent)) as pending,
    known(count_if(is_unknown), count_if(is_sent)) as unknown,
    rate(count_if(is_sent and is_delivered), count_if(is_sent)) as delivery_rate,
    coalesce(bool_or(is_provisional), false) as provisional
from (
    select unnest(range(
        getvariable('from_utc'), getvariable('shown_to_utc'), to_hours(getvariable('step_hours'))
    )) as at_utc
) as step
left join outcome on outcome.step_utc = step.at_utc and outcome.period = 'now'
group by all;

-- countries
with place as (
    select
        country_code,
        count_if(is_reported and period = 'now') as reports,
        count_if(is_delivered and period = 'now') as delivered,
        nullif(count_if(is_sent and period = 'now'), 0) as sent,
        count_if(is_sent and is_delivered and period = 'now') as sent_delivered,
        rate(
            count_if(is_delivered and period = 'before'), count_if(is_reported and period = 'before')
        ) as rate_before
    from outcome
    group by all
)
select
    * exclude (sent_delivered),
    reports / (select count_if(is_reported) from outcome where period = 'now') as share,
    rate(delivered, reports) as rate,
    wilson_low(delivered, reports) as low,
    wilson_high(delivered, reports) as high,
    rate(sent_delivered, sent) as delivery_rate
from place
where reports > 0 or sent > 0;

-- operators
with place as (
    select
        country_code,
        range_operator,
        count_if(is_reported and period = 'now') as reports,
        count_if(is_delivered and period = 'now') as delivered,
        nullif(count_if(is_sent and period = 'now'), 0) as sent,
        count_if(is_sent and is_delivered and period = 'now') as sent_delivered,
        rate(
            count_if(is_delivered and period = 'before'), count_if(is_reported and period = 'before')
        ) as rate_before
    from outcome
    group by all
)
select
    * exclude (sent_delivered),
    reports / (select count_if(is_reported) from outcome where period = 'now') as share,
    rate(delivered, reports) as rate,
    wilson_low(delivered, reports) as low,
    wilson_high(delivered, reports) as high,
    rate(sent_delivered, sent) as delivery_rate
from place
where reports > 0 or sent > 0;

-- causes
select
    error_category as category,
    error_party as party,
    count_if(period = 'now') as failures,
    count_if(period = 'now' and error_permanent = 'yes') as permanent,
    failures / (select count_if(period = 'now') from failure) as share,
    rate(
        count_if(period = 'before'), (select count_if(period = 'before') from failure)
    ) as share_before
from failure
group by all
having failures > 0;

-- failures
select
    time_bucket(
        to_hours(greatest(24, getvariable('step_hours'))), event_time_utc, getvariable('from_utc')
    ) as at_utc,
    error_category as category,
    count(*) as failures
from failure
where period = 'now'
group by all;

-- codes
select
    error_code as code,
    error_category as category,
    error_party as party,
    error_match as match,
    count(*) as failures,
    failures / (select count(*) from failure where period = 'now') as share
from failure
where period = 'now'
group by all
order by failures desc, code, category
limit 12;

-- latency
select
    interval,
    step_utc as at_utc,
    count(*) as n,
    at_rank(list(bound), 50) as p50_s,
    at_rank(list(bound), 95) as p95_s,
    at_rank(list(bound), 99) as p99_s
from latency
where period = 'now'
group by all;

-- latency_headline
select
    interval,
    period,
    count(*) as n,
    at_rank(list(bound), 50) as p50_s,
    at_rank(list(bound), 95) as p95_s,
    at_rank(list(bound), 99) as p99_s
from latency
where period is not null
group by all;

-- latency_operators
select
    interval,
    country_code,
    range_operator,
    count(*) as n,
    at_rank(list(bound), 50) as p50_s,
    at_rank(list(bound), 95) as p95_s,
    at_rank(list(bound), 99) as p99_s,
    count_if(seconds < 0) as negative,
    max(seconds) as max_s,
    case when n >= 10 and interval <> 'end_to_end' then 2 * count_if(whole_minute) >= n end
        as minutes_only
from latency
where period = 'now'
group by interval, country_code, range_operator;

-- distribution
select
    interval,
    bound as upper_bound_s,
    count(*) as n,
    count(*) / sum(count(*)) over (partition by interval) as share
from latency
where period = 'now'
group by interval, bound;

-- health
with push as (
    select
        time_bucket(to_hours(getvariable('step_hours')), received_at_utc, getvariable('from_utc'))
            as step_utc,
        count(*) as pushes,
        sum(records)::bigint as records,
        sum(accepted)::bigint as accepted,
        sum(duplicates)::bigint as duplicates,
        sum(conflicts)::bigint as conflicts,
        sum(rejected)::bigint as rejected,
        count_if(decoding = 'failed') as undecodable_pushes,
        count_if(decoding = 'salvaged') as salvaged_pushes
    from raw.pushes
    group by all
),
lag as (
    select
        time_bucket(to_hours(getvariable('step_hours')), hour_utc, getvariable('from_utc')) as step_utc,
        max(p95_report_lag_s) as worst_p95_report_lag_s
    from marts.push_health_hourly
    group by all
)
select
    step.at_utc,
    coalesce(pushes, 0) as pushes,
    coalesce(records, 0) as records,
    coalesce(accepted, 0) as accepted,
    coalesce(duplicates, 0) as duplicates,
    coalesce(conflicts, 0) as conflicts,
    coalesce(rejected, 0) as rejected,
    coalesce(undecodable_pushes, 0) as undecodable_pushes,
    coalesce(salvaged_pushes, 0) as salvaged_pushes,
    worst_p95_report_lag_s
from (
    select unnest(range(
        getvariable('from_utc'), getvariable('shown_to_utc'), to_hours(getvariable('step_hours'))
    )) as at_utc
) as step
left join push on push.step_utc = step.at_utc
left join lag on lag.step_utc = step.at_utc;

-- unmapped
select
    range_operator as operator,
    error_code as code,
    count_if(period = 'now') as failures,
    min(event_time_utc) as first_seen_utc,
    max(event_time_utc) as last_seen_utc
from failure
where error_match = 'none' and has_code
group by all
having failures > 0
order by failures desc, operator, code
limit 50;

-- coverage
select
    count_if(has_code) as with_code,
    count_if(has_code and error_match = 'none') as unmapped,
    rate(unmapped, with_code) as unmapped_share
from failure
where period = 'now';

-- suspicious
with code as (
    select
        day_utc, country_code, range_operator, upper(trim(error_code)) as code, count(*) as n
    from failure
    where often_made_up and period = 'now'
    group by all
),
made_up as (
    select
        day_utc, country_code, range_operator, sum(n)::bigint as failures,
        sum((n - mean) ** 2 / mean) as chi_square
    from (
        select *, sum(n) over (partition by day_utc, country_code, range_operator) / 6 as mean
        from code
    )
    group by all
    having count(*) = 6 and sum(n) >= 60
)
select
    made_up.*,
    made_up.failures / (
        select count(*) from failure
        where failure.day_utc = made_up.day_utc
            and failure.country_code is not distinct from made_up.country_code
            and failure.range_operator is not distinct from made_up.range_operator
    ) as share
from made_up
where chi_square < 11.07;
