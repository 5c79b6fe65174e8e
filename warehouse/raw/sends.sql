/*
description: Every accepted row of the send log, copies included; see core.sends for what counts.
grain: file, position
materialized: python
depends_on: [landing/sends]
columns:
  file: varchar -- File the row lies in, below $DLR_DATA/sends.
  position: bigint -- Place in the file, counted from 1; header and blank lines do not count.
  sid: bigint -- Id of the message, given by the provider; null where the log does not say.
  uid: varchar -- The sender's own id; null where the log does not say.
  sent_at_utc: timestamp -- When the message was sent, UTC.
  tag: varchar -- Template or campaign; null where the log does not say.
  mobile: varchar -- Number as the log has it; null where it does not say.
*/
