/*
description: Pushes that Python decoded.
grain: push_id
materialized: temporary
columns:
  push_id: varchar -- Id of the push.
  decoding: varchar -- How it was decoded.
  records: bigint -- Records and rejects in it.
  repaired_mobiles: bigint -- Mobiles that got a lost + back.
*/

