-- Outcomes by hour: of a reported message that of its event, of a waiting send that of its sending.
-- A sum over the sent is null where no send is known.
with message as (
    select
        event_hour_utc as hour_utc, country_code, range_operator, tag, 1 as reported, delivered,
        not delivered and coalesce(error_party in ('recipient', 'handset'), 0) as at_recipient,
        sent_at_utc is not null as is_sent, 0 as is_pending, 0 as is_unknown
    from core_sms_status
    union all
    select
        waiting_hour_utc, country_code, range_operator, tag, 0, 0, 0, 1,
        coalesce(sent_at_utc > unknown_until_utc, 1), coalesce(sent_at_utc <= unknown_until_utc, 0)
    from core_sends
    cross join marts_as_of
    where waiting_hour_utc is not null
),

counted as (
    select
        hour_utc, country_code, range_operator, tag,
        sum(reported) as reports,
        sum(delivered) as delivered,
        sum(at_recipient) as failed_at_recipient,
        sum(is_sent) filter (where is_sent) as sent,
        sum(reported) filter (where is_sent) as sent_reported,
        sum(delivered) filter (where is_sent) as sent_delivered,
        sum(at_recipient) filter (where is_sent) as sent_failed_at_recipient,
        sum(is_pending) filter (where is_sent) as pending,
        sum(is_unknown) filter (where is_sent) as unknown,
        sum(not is_pending and not at_recipient) filter (where is_sent) as possible
    from message
    group by 1, 2, 3, 4
)

select
    hour_utc, country_code, range_operator, tag,
    reports, delivered, reports - delivered as failed, failed_at_recipient,
    rate(delivered, reports) as reported_delivery_rate,
    wilson_low(delivered, reports) as reported_delivery_rate_low,
    wilson_high(delivered, reports) as reported_delivery_rate_high,
    sent, sent_reported, sent_delivered, sent_failed_at_recipient, pending, unknown,
    rate(sent_delivered, sent) as delivery_rate,
    wilson_low(sent_delivered, sent) as delivery_rate_low,
    wilson_high(sent_delivered, sent) as delivery_rate_high,
    rate(sent_reported, sent) as receipt_rate,
    wilson_low(sent_reported, sent) as receipt_rate_low,
    wilson_high(sent_reported, sent) as receipt_rate_high,
    rate(sent_delivered, possible) as effective_rate,
    wilson_low(sent_delivered, possible) as effective_rate_low,
    wilson_high(sent_delivered, possible) as effective_rate_high,
    coalesce(hour_utc > (select final_until_utc from marts_as_of), 1) as provisional
from counted
