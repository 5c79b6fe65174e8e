-- Outcomes by hour: of a reported message that of its event, of a waiting send that of its sending.
with message as (
    select
        event_hour_utc as hour_utc, country_code, range_operator, tag, delivered,
        not delivered and coalesce(error_party in ('recipient', 'handset'), 0) as at_recipient,
        sent_at_utc is not null as is_sent, 0 as is_pending, 0 as is_unknown
    from core_sms_status

    union all

    select
        waiting_hour_utc, country_code, range_operator, tag, null, null, 0,
        coalesce(sent_at_utc > unknown_until_utc, 1), coalesce(sent_at_utc <= unknown_until_utc, 0)
    from core_sends
    cross join marts_as_of
    where waiting_hour_utc is not null
),

counted as (
    select
        hour_utc, country_code, range_operator, tag,
        count(delivered) as reports,
        coalesce(sum(delivered), 0) as delivered,
        coalesce(sum(at_recipient), 0) as failed_at_recipient,
        nullif(sum(is_sent + is_pending + is_unknown), 0) as sent,
        sum(is_sent) as sent_reported,
        coalesce(sum(is_sent and delivered), 0) as sent_delivered,
        coalesce(sum(is_sent and at_recipient), 0) as sent_failed_at_recipient,
        sum(is_pending) as pending,
        sum(is_unknown) as unknown
    from message
    group by hour_utc, country_code, range_operator, tag
)

select
    hour_utc, country_code, range_operator, tag,
    reports, delivered, reports - delivered as failed, failed_at_recipient,
    rate(delivered, reports) as reported_delivery_rate,
    wilson_low(delivered, reports) as reported_delivery_rate_low,
    wilson_high(delivered, reports) as reported_delivery_rate_high,
    sent,
    iif(sent, sent_reported, null) as sent_reported,
    iif(sent, sent_delivered, null) as sent_delivered,
    iif(sent, sent_failed_at_recipient, null) as sent_failed_at_recipient,
    iif(sent, pending, null) as pending,
    iif(sent, unknown, null) as unknown,
    rate(sent_delivered, sent) as delivery_rate,
    wilson_low(sent_delivered, sent) as delivery_rate_low,
    wilson_high(sent_delivered, sent) as delivery_rate_high,
    rate(sent_reported, sent) as receipt_rate,
    wilson_low(sent_reported, sent) as receipt_rate_low,
    wilson_high(sent_reported, sent) as receipt_rate_high,
    rate(sent_delivered, sent - pending - sent_failed_at_recipient) as effective_rate,
    wilson_low(sent_delivered, sent - pending - sent_failed_at_recipient) as effective_rate_low,
    wilson_high(sent_delivered, sent - pending - sent_failed_at_recipient) as effective_rate_high,
    coalesce(hour_utc > (select final_until_utc from marts_as_of), 1) as provisional
from counted
