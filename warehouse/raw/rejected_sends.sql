/*
description: Rows of the send log that were rejected, with the reason. They stay in their file.
grain: file, position
materialized: python
depends_on: [landing/sends]
export: file
fragments: [value]
free_text: [file]
columns:
  file: varchar -- File the row lies in, below $DLR_DATA/sends.
  position: bigint -- Place in the file, counted from 1; header and blank lines do not count.
  reason: varchar -- Slug, one of not_a_row, no_key, bad_sid, bad_sent_at.
  field: varchar -- Field that is wrong; null where it is not a single field.
  value: varchar -- What stands there, as text, at most 1000 characters; null where the field is missing.
*/
