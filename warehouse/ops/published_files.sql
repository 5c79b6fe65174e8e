/*
description: Files of the last publication, as the file system describes them. A file that differs is published again.
grain: path
materialized: python
columns:
  path: varchar -- File, link or folder, below $DLR_DATA/exports.
  bytes: bigint -- Size in bytes.
  changed_ns: bigint -- Time of the last change, nanoseconds since 1970.
  inode: ubigint -- Number of the file in its file system.
*/
