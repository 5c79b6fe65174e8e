/*
description: The exported files that are current.
grain: path
refresh: filled
columns:
  table_name: varchar -- Exported table, with its schema.
  part_day: date -- Day of the part; null where the table is one file.
  part_hour_utc: timestamp -- Hour of reception of the part; null where it covers more.
  until_hour_utc: timestamp -- Last hour of reception in a compacted day; null otherwise.
  path: varchar -- File below $DLR_DATA/exports.
  rows: bigint -- Rows in the file.
  bytes: bigint -- Size of the file in bytes.
  sha256: varchar -- Digest of the file.
*/
