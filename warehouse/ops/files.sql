/*
description: Landed files that were read, and their state. A file is read again when its size or time of change differs.
grain: file
materialized: python
columns:
  file: varchar -- Path below $DLR_DATA/landing.
  landing_day: date -- Landing day, by the folder the file lies in; null where that is none.
  bytes: bigint -- Size in bytes.
  changed_ns: bigint -- Time of the last change, nanoseconds since 1970.
  sha256: varchar -- Digest of the whole file as it lies there; null where it could not be read.
  pushes: bigint -- Pushes first taken from this file.
  state: varchar -- taken; quarantined where something in it needs action; compacted where it was made of files taken before, see ops.compacted_files.
  problem: varchar -- What is wrong, in a sentence; null where nothing is.
  run_id: varchar -- Run that read it last; null where it was compacted and not read since.
*/
