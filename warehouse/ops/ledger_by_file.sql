/*
description: The conservation law, file by file. A push counts for the file it was first taken from, so a file of which every push was known has no row.
grain: file
materialized: incremental
delete_by: {file: stale_files}
export: day(first_received_at_utc)
free_text: [file]
checks:
  - name: law_holds_for_every_file
    failing: >
      select file, records, messages, duplicates, conflicts, rejected, erased
      from ops.ledger_by_file
      where not balanced
  - name: files_add_up_to_the_ledger
    failing: >
      with by_file as (
          select
              coalesce(sum(records), 0)::bigint as records,
              coalesce(sum(messages), 0)::bigint as messages,
              coalesce(sum(duplicates), 0)::bigint as duplicates,
              coalesce(sum(conflicts), 0)::bigint as conflicts,
              coalesce(sum(rejected), 0)::bigint as rejected
          from ops.ledger_by_file
      )
      select by_file.*
      from by_file
      join ops.ledger as ledger
          on ledger.sequence = (select max(sequence) from ops.ledger)
          and ledger.balanced
      where (by_file.records, by_file.messages, by_file.duplicates, by_file.conflicts, by_file.rejected)
          <> (
              ledger.total_records, ledger.total_messages, ledger.total_duplicates,
              ledger.total_conflicts, ledger.total_rejected
          )
columns:
  file: varchar -- Landed file, below $DLR_DATA/landing; its name before compaction where it was compacted.
  pushes: bigint -- Pushes first taken from the file.
  records: bigint -- Records received with them.
  messages: bigint -- Records that are the first report of their message.
  duplicates: bigint -- Records that repeat a report of their message to the letter.
  conflicts: bigint -- Records with a new content for a known message.
  rejected: bigint -- Records that could not be taken.
  erased: bigint -- Records erased on request.
  balanced: boolean -- Whether records = messages + duplicates + conflicts + rejected + erased, in every push of the file.
  first_received_at_utc: timestamp -- When the earliest of its pushes was taken, UTC.
  last_received_at_utc: timestamp -- When the latest of its pushes was taken, UTC.
*/
select
    file,
    count(*) as pushes,
    sum(records)::bigint as records,
    sum(accepted)::bigint as messages,
    sum(duplicates)::bigint as duplicates,
    sum(conflicts)::bigint as conflicts,
    sum(rejected)::bigint as rejected,
    0::bigint as erased,
    coalesce(bool_and(records = accepted + duplicates + conflicts + rejected), false) as balanced,
    min(received_at_utc) as first_received_at_utc,
    max(received_at_utc) as last_received_at_utc
from raw.pushes
where file in (select file from stale_files)
group by file
