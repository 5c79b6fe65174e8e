/*
description: The data files that are current.
grain: path
materialized: python
columns:
  table_name: varchar -- Exported table, with its schema.
  part_day: date -- Day of the data file; null where the table is one file.
  from_minute_utc: timestamp -- First minute of reception in it; null where it is a whole day.
  until_minute_utc: timestamp -- Last minute of reception in it.
  path: varchar -- File below $DLR_DATA/exports.
  rows: bigint -- Rows in the file.
  bytes: bigint -- Size of the file in bytes.
  sha256: varchar -- Digest of the file.
  form: varchar -- Digest of columns, types, masks, layout and setting of mobiles it was written with.
*/
