/*
description: Landed files, plain or compacted before, that were just compacted into one.
grain: file
materialized: temporary
columns:
  file: varchar -- Path below $DLR_DATA/landing.
  container: varchar -- Compressed file it lies in now.
  offset_bytes: bigint -- Where it begins in what zcat of the container gives.
*/
