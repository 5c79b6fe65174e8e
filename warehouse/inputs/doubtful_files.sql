/*
description: Landed files of which the registry is asked, before they are compacted or deleted.
grain: file
materialized: temporary
columns:
  file: varchar -- Path below $DLR_DATA/landing.
*/
