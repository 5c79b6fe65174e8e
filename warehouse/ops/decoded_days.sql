/*
description: By which rules the landed files of each day were decoded. A day of which rows have another version than today's must be decoded again to be right (dlr rebuild).
grain: landing_day, decoder
materialized: python
columns:
  landing_day: date -- Landing day, by the folder a file lies in; null for files that lie in no day's folder.
  decoder: varchar -- Digest of the SQL and Python that took apart pushes of this day.
*/
