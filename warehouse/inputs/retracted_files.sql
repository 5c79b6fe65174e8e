/*
description: Landed files that are taken again.
grain: file
materialized: temporary
columns:
  file: varchar -- Landed file, below $DLR_DATA/landing.
*/
