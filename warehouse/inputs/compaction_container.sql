/*
description: The compressed file that was just made of them.
grain: file
materialized: temporary
columns:
  file: varchar -- Path below $DLR_DATA/landing.
  bytes: bigint -- Size in bytes.
  changed_ns: bigint -- Time of the last change, nanoseconds since 1970.
  sha256: varchar -- Digest of its bytes.
*/
