/*
description: The time the marts describe, and what follows from it. Ages are measured from the latest reception, not from the wall clock.
grain: as_of_utc
materialized: table
export: file
columns:
  as_of_utc: timestamp -- Latest reception among all pushes; null before the first.
  settled_after_s: double -- Seconds within which 99 % of the reports came so far; 72 h where that is above an hour.
  final_until_utc: timestamp -- Hours that begin later are provisional; null where all are.
  unknown_until_utc: timestamp -- What was sent up to here and has no report is unknown, what was sent later pending.
*/
select
    as_of_utc,
    settled_after_s,
    final_until_utc,
    unknown_until_utc
from watermark
