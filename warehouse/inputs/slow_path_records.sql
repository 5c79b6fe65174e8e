/*
description: Records of the pushes that Python decoded.
grain: push_id, position
materialized: temporary
columns:
  sid: bigint -- Id of the message.
  push_id: varchar -- Push that brought the report.
  position: bigint -- Place in the pushed array, counted from 0.
  received_at_utc: timestamp -- When the push was taken, UTC.
  uid: varchar -- The sender's own id.
  mobile: varchar -- Number as pushed.
  report_status: varchar -- SUCCESS or FAIL.
  handset_time_raw: varchar -- user_receive_time as sent.
  error_code: varchar -- error_msg as sent.
  error_detail: varchar -- error_detail as sent.
*/

