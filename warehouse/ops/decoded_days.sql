/*
description: The rules by which the landed files of each day were decoded. A day with rules that give other rows today must be decoded again (dlr rebuild).
grain: landing_day, decoder
materialized: python
columns:
  landing_day: date -- Landing day, by the folder a file lies in; null for files that lie in no day's folder.
  decoder: varchar -- Digest of the SQL and Python that decoded pushes of this day.
*/
