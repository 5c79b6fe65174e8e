/*
description: Every readable report ever pushed, copies included, as text the way it was sent.
grain: push_id, position
refresh: filled
columns:
  sid: bigint -- Id of the message, given by the provider.
  push_id: varchar -- Push that brought this report.
  position: bigint -- Place in the pushed array, counted from 0.
  received_at_utc: timestamp -- When the push was taken, UTC.
  uid: varchar -- The sender's own id; null and '' are told apart.
  mobile: varchar -- Number as pushed, a lost + put back.
  report_status: varchar -- SUCCESS or FAIL, the only field that decides the outcome.
  handset_time_raw: varchar -- user_receive_time as sent, in the provider's zone.
  error_code: varchar -- error_msg as sent.
  error_detail: varchar -- error_detail as sent.
*/
