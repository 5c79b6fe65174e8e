/*
description: Landed files that were just compacted.
grain: file
materialized: temporary
columns:
  file: varchar -- Landed file as it was called, below $DLR_DATA/landing.
  container: varchar -- Compressed file it lies in.
  offset_bytes: bigint -- Where it begins in what zcat of the container gives.
*/
