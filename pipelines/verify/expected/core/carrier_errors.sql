select
    error.operator,
    error.code,
    code_key(error.code) as code_key,
    error.category,
    nullif(category.party, '') as party,
    nullif(error.permanent, 'n/a') as permanent,
    error.meaning,
    error.confidence,
    error.source,
    reference_version() as reference_version
from reference_carrier_errors as error
join reference_error_categories as category
    on category.category = error.category
