/*
description: Hours whose marts are behind core; emptied when the marts have caught up.
grain: clock, hour_utc
materialized: python
columns:
  clock: varchar -- event (event_time_utc) or received (time of the push).
  hour_utc: timestamp -- Hour that changed.
*/
