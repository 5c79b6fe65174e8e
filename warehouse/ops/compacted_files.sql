/*
description: Landed files that were compacted, and where in the compressed file they lie. Their names stay in raw.pushes.
grain: file
materialized: python
columns:
  file: varchar -- Landed file as it was called, below $DLR_DATA/landing.
  landing_day: date -- Landing day, by the folder the file lay in; null where that was none.
  container: varchar -- Compressed file it lies in, below $DLR_DATA/landing.
  offset_bytes: bigint -- Where it begins in what zcat of the container gives.
  bytes: bigint -- Size in bytes.
  sha256: varchar -- Digest of its bytes.
  run_id: varchar -- Run that read it last as a file of its own; null where it was found in the container.
*/
