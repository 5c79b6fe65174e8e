/*
description: Messages the user says were sent (optional input).
grain: sid, uid
refresh: filled
export: file
columns:
  sid: bigint -- Id of the message, given by the provider.
  uid: varchar -- The sender's own id.
  sent_at_utc: timestamp -- When it was sent, UTC.
  tag: varchar -- Template or campaign, as the sender names it.
*/
