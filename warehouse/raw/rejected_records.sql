/*
description: Records, or undecodable pushes, that were rejected, with the reason. The bytes stay in the landed file.
grain: push_id, position
materialized: python
depends_on: [landing/yunpian]
export: day(received_at_utc)
fragments: [value]
columns:
  push_id: varchar -- Push the record came in.
  position: bigint -- Place in the pushed array, counted from 0; null for a whole push.
  reason: varchar -- Slug, one of not_an_object, bad_sid, bad_report_status, not_json, not_an_array, damaged_json.
  field: varchar -- Field that is wrong; null where it is not a single field.
  value: varchar -- What stands there, as text, at most 1000 characters; null where the field is missing.
  received_at_utc: timestamp -- When the push was taken, UTC.
*/
