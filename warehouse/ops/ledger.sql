/*
description: The conservation law, run by run and over all time; day by day once it is older than 90 days. Records received are messages known, duplicates, conflicts, rejected and erased, and nothing else.
grain: run_id
materialized: python
depends_on: [raw.pushes, core.sms_status]
export: file
checks:
  - name: conservation_law
    failing: >
      select run_id, total_records, total_messages, total_duplicates, total_conflicts, total_rejected, total_erased
      from ops.ledger
      where sequence = (select max(sequence) from ops.ledger)
        and not balanced
columns:
  sequence: bigint -- Order of the runs in this warehouse, counted from 1; of a day, its last run's.
  run_id: varchar -- Run of the pipeline, as in Dagster; of runs folded into a day, the day (YYYY-MM-DD, UTC).
  started_at_utc: timestamp -- When the run began to take files, UTC.
  updated_at_utc: timestamp -- When its last batch was stored, UTC.
  files: bigint -- Landed files taken by the run.
  pushes: bigint -- Pushes gained.
  records: bigint -- Records received, gained by the run.
  messages: bigint -- Rows that core.sms_status gained.
  duplicates: bigint -- Duplicates gained.
  conflicts: bigint -- Conflicts gained.
  rejected: bigint -- Rejected records gained.
  erased: bigint -- Records erased on request in the run.
  total_records: bigint -- Records received over all time, after the run.
  total_messages: bigint -- Rows of core.sms_status after the run.
  total_duplicates: bigint -- Duplicates over all time.
  total_conflicts: bigint -- Conflicts over all time.
  total_rejected: bigint -- Records rejected over all time.
  total_erased: bigint -- Records erased over all time.
  balanced: boolean -- Whether the law holds for the run, over all time, for every file and every push.
  fingerprint_before: varchar -- Fingerprint of core.sms_status before the run.
  fingerprint: varchar -- Fingerprint of core.sms_status after the run.
  content_low: ubigint -- First of the two sums the fingerprint is printed from.
  content_high: ubigint -- Second of the two sums.
  reference_version: varchar -- Version of the reference data the run worked with.
  provider_timezone: varchar -- Zone the provider's times were read in.
*/
