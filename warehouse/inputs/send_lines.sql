/*
description: Lines of one JSON Lines file of the send log.
grain: line
materialized: view
columns:
  line: varchar -- The line as it stands there.
*/
