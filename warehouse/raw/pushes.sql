/*
description: Landed pushes, how each was decoded and what became of its records.
grain: push_id
materialized: python
depends_on: [landing/yunpian]
export: day(received_at_utc)
free_text: [file]
columns:
  push_id: varchar -- Unique name of the push, given at reception; sorts by time.
  file: varchar -- Landed file the push was taken from, below $DLR_DATA/landing; its name before compaction where it was compacted.
  received_at_utc: timestamp -- When the receiver took the push, UTC.
  body_bytes: bigint -- Size of the pushed body in bytes.
  sha256: varchar -- Digest of the pushed body, as landed.
  decoding: varchar -- How often the value had to be form-decoded (once, twice, thrice), or salvaged (text had to be repaired), or failed (no array came out).
  records: bigint -- Records in the push; an undecodable push and each unreadable stretch of a damaged array count as one.
  accepted: bigint -- Records that are the first report of their sid.
  duplicates: bigint -- Records that repeat a report of their sid to the letter.
  conflicts: bigint -- Records that report a known sid with a new content.
  rejected: bigint -- Records that could not be taken, see raw.rejected_records.
  repaired_mobiles: bigint -- Mobiles that had lost a leading + on the wire and got it back.
*/
