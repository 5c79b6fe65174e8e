/*
description: What each stored table was computed by. Where today's SQL, settings and reference data would give other rows, the next run computes the table again.
grain: model
materialized: python
columns:
  model: varchar -- Stored table, with its schema.
  digest: varchar -- Digest of the meaning of its SQL, of the steps and functions before it, and of the settings and reference data they use.
  computed_at_utc: timestamp -- When it was last computed as a whole, UTC.
  run_id: varchar -- Run that did it; null where no run of the job did.
  rows: bigint -- Rows it had then.
  seconds: double -- How long it took, together with the tables computed in the same step.
*/
