/*
description: Carrier and gateway codes with what they mean; reference data compiled from public tables.
grain: operator, code
materialized: table
export: file
columns:
  operator: varchar -- Operator whose code it is, * for any.
  code: varchar -- Code as the operator writes it.
  code_key: varchar -- Normalised code, by which it is looked up.
  category: varchar -- What kind of failure it is.
  party: varchar -- Where the cause lies; recipient, handset, policy, network or sender; null where none.
  permanent: varchar -- Whether the same message would fail the same way again; yes, no, unknown or null.
  meaning: varchar -- Plain words.
  confidence: varchar -- How firm the mapping is; high, medium or low.
  source: varchar -- Where it was published.
  reference_version: varchar -- Version of the reference data, a digest over its files.
*/
select
    error.operator,
    error.code,
    carrier_code_key(error.code) as code_key,
    error.category,
    nullif(category.party, '') as party,
    nullif(error.permanent, 'n/a') as permanent,
    error.meaning,
    error.confidence,
    error.source,
    getvariable('reference_version')::varchar as reference_version
from reference.carrier_errors as error
join reference.error_categories as category
    on category.category = error.category
