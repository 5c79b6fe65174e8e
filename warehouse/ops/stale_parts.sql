/*
description: Data files that are behind the warehouse; emptied when they are published.
grain: table_name, part_day, from_minute_utc
materialized: python
columns:
  table_name: varchar -- Exported table, with its schema.
  part_day: date -- Day of the data file; null where the table is one file.
  from_minute_utc: timestamp -- Minute of reception that is stale; null where a data file is a whole day.
*/
