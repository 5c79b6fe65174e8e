/*
description: "What a rebuild, or a landing day that was ingested again, changed: rows by what moved, from what, to what."
grain: run_id, what, before, after
materialized: python
depends_on: [raw.pushes, core.sms_status]
export: file
columns:
  run_id: varchar -- Run that took the data again, as in ops.ledger.
  found_at_utc: timestamp -- When the comparison was made, UTC.
  what: varchar -- category, country, operator, delivered or event_time of a message that is there before and after; new or gone, a message that is not; reject, a record rejected before or after.
  before: varchar -- Value before, for gone the category, for reject the reason; null where there was none, and for event_time.
  after: varchar -- Value after, for new the category, for reject the reason; null where there is none, and for event_time.
  rows: bigint -- Messages, or for reject records.
*/
