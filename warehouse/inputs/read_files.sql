/*
description: Files that a batch read, landed ones or those of the send log, as they are registered.
grain: file
materialized: temporary
columns:
  file: varchar -- Path below $DLR_DATA/landing or $DLR_DATA/sends.
  landing_day: date -- Landing day, by the folder the file lies in; null where that is none.
  bytes: bigint -- Size in bytes.
  changed_ns: bigint -- Time of the last change, nanoseconds since 1970.
  sha256: varchar -- Digest of the whole file; null where it could not be read.
  state: varchar -- taken, or quarantined where the file needs action.
  problem: varchar -- What is wrong, in a sentence; null where nothing is.
  reader: varchar -- Digest of what a file of the send log was read by; null for a landed file.
  run_id: varchar -- Run that read it.
*/
