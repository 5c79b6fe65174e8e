/*
description: Files of the send log that were read, and their state. A file is read again when its size, its time of change or the rules of reading differ; its earlier rows are deleted first.
grain: file
materialized: python
columns:
  file: varchar -- Path below $DLR_DATA/sends.
  bytes: bigint -- Size in bytes.
  changed_ns: bigint -- Time of the last change, nanoseconds since 1970.
  sha256: varchar -- Digest of the whole file; null where it could not be read.
  received: bigint -- Rows in it.
  rejected: bigint -- Rows that could not be taken, see raw.rejected_sends.
  state: varchar -- taken, or quarantined where the file needs action.
  problem: varchar -- What is wrong, in a sentence; null where nothing is.
  reader: varchar -- Digest of the SQL, Python and zone it was read by; with another one it is read again.
  run_id: varchar -- Run that read it last.
*/
