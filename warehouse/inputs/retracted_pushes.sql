/*
description: Pushes whose rows were deleted because their files are taken again.
grain: push_id
materialized: temporary
columns:
  push_id: varchar -- Id of the push.
  file: varchar -- Landed file it was first taken from.
  received_at_utc: timestamp -- When the push was taken, UTC.
*/

