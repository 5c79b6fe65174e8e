/*
description: What the last publication left in place, as the file system tells it. What differs is published again.
grain: path
materialized: python
columns:
  path: varchar -- File, link or folder, below $DLR_DATA/exports.
  bytes: bigint -- Size in bytes.
  changed_ns: bigint -- Time of the last change, nanoseconds since 1970.
  inode: ubigint -- Number of the file in its file system.
*/
