/*
description: "Closed partitions: landing days that are over and of which every file was taken. Their folders are not listed again as long as they do not change."
grain: folder
materialized: python
columns:
  folder: varchar -- Folder below $DLR_DATA/landing.
  stamp: varchar -- Device, inode, time of modification and time of change of the folder, nanoseconds since 1970.
  files: bigint -- Files in it.
  bytes: bigint -- Their size.
  sealed_at_utc: timestamp -- When it was sealed, UTC.
*/
