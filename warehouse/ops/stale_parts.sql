/*
description: Parts of exported tables that are behind the warehouse; emptied when they are published.
grain: table_name, part_day, part_hour_utc
refresh: filled
columns:
  table_name: varchar -- Exported table, with its schema.
  part_day: date -- Day of the part; null where the table is one file.
  part_hour_utc: timestamp -- Hour of reception of the part; null where a part is a whole day.
*/
