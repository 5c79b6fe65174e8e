-- Counts of the period and of the one before.
select
    period,
    sum(reports) as reports, sum(delivered) as delivered, sum(failed) as failed,
    sum(failed_at_recipient) as failed_at_recipient, sum(sent) as sent,
    sum(sent_reported) as sent_reported, sum(sent_delivered) as sent_delivered,
    sum(sent_failed_at_recipient) as sent_failed_at_recipient,
    sum(pending) as pending, sum(unknown) as unknown,
    sum(iif(provisional, reports, 0)) as provisional_reports,
    sum(sent) - sum(pending) - sum(sent_failed_at_recipient) as could_arrive
from delivery
group by period
