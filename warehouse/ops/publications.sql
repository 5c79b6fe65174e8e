/*
description: Every publication, with what it contained.
grain: published_at_utc
materialized: python
columns:
  published_at_utc: timestamp -- When the manifest was replaced, UTC.
  as_of_utc: timestamp -- Latest reception among the published pushes.
  fingerprint: varchar -- Fingerprint of core.sms_status that was published.
  mobile: varchar -- How mobiles were written; masked, hashed or plain.
  schema_version: varchar -- Digest over the models.
  form: varchar -- Digest of how database, dictionary and report were made, and of where the files lie.
  report_problem: varchar -- Why the report could not be rendered, so that an older one stayed; null where it could.
  repaired: varchar -- What was missing or altered, and made again; null where nothing was.
*/
