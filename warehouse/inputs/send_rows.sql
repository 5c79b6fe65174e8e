/*
description: Rows of the send files of a batch, as text.
grain: file, position
materialized: temporary
columns:
  file: varchar -- File, below $DLR_DATA/sends.
  position: bigint -- Place in the file, counted from 1.
  whole: varchar -- The whole row where it cannot be split into fields.
  sid: varchar -- Id of the message, as it stands there.
  uid: varchar -- The sender's own id, as it stands there.
  sent_at: varchar -- When it was sent, as it stands there.
  tag: varchar -- Template or campaign, as it stands there.
  mobile: varchar -- Number, as it stands there.
*/

