/*
description: The conservation law of the send log, for each run that read files of it. Rows received are sends, repeated sends, duplicates and rejected rows, and nothing else.
grain: run_id
materialized: python
depends_on: [raw.sends, core.sends]
export: file
checks:
  - name: conservation_law_of_sends
    failing: >
      select run_id, total_received, total_sends, total_repeated, total_duplicates, total_rejected
      from ops.sends_ledger
      where sequence = (select max(sequence) from ops.sends_ledger)
        and not balanced
columns:
  sequence: bigint -- Order of these runs in this warehouse, counted from 1.
  run_id: varchar -- Run of the pipeline, as in Dagster and ops.ledger.
  files: bigint -- Files of the send log read by the run.
  received: bigint -- Rows gained.
  sends: bigint -- Sends gained; one a sid, and every other line that has only a uid.
  repeated: bigint -- Lines gained that name a known sid and say something else.
  duplicates: bigint -- Rows gained that say the same as another one.
  rejected: bigint -- Rejected rows gained.
  total_received: bigint -- Rows received over all time, after the run.
  total_sends: bigint -- Sends over all time.
  total_repeated: bigint -- Repeated lines over all time.
  total_duplicates: bigint -- Duplicates over all time.
  total_rejected: bigint -- Rejected rows over all time.
  balanced: boolean -- Whether the law holds for the run and over all time.
  sends_timezone: varchar -- Zone in which times without one were read.
*/
