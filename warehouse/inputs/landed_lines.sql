/*
description: Lines of the landed files of a batch. None where all of history is computed from what is stored.
grain: line of a landed file
materialized: view
columns:
  file: varchar -- Landed file, below $DLR_DATA/landing.
  push_id: varchar -- Id of the push.
  received_at: varchar -- Time of reception, as landed.
  sha256: varchar -- Digest of the body, as landed.
  body: varchar -- Body as text; null where it is not UTF-8.
  body_base64: varchar -- Body in base64 where it is not UTF-8.
*/

