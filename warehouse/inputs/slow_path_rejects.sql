/*
description: What could not be taken of the pushes that Python decoded.
grain: push_id, position
materialized: temporary
columns:
  push_id: varchar -- Id of the push.
  reason: varchar -- Why it could not be taken.
  position: bigint -- Place in the pushed array, counted from 0; null for a whole push.
  field: varchar -- Field that is wrong.
  value: varchar -- What stands there.
  received_at_utc: timestamp -- When the push was taken, UTC.
*/

