/*
description: Versions of the rules that rows were made by, and what each consists of.
grain: rules_version
refresh: filled
export: file
columns:
  rules_version: varchar -- Digest over the other columns up to code_version; stands in raw.pushes and core.sms_status.
  reference_version: varchar -- Digest over the reference data.
  provider_timezone: varchar -- Zone the provider's times were read in.
  default_region: varchar -- Country of numbers written without one.
  code_version: varchar -- Digest over the SQL and Python that decode, reject and choose.
  first_used_at_utc: timestamp -- When this warehouse first used it, UTC.
*/
