/*
description: Numbers of the changed messages and what their digits say, by the ranges that tools/number_ranges.py takes from libphonenumber.
grain: mobile
materialized: temporary
columns:
  mobile: varchar -- Number as pushed; null and unreadable text have a row, too.
  mobile_e164: varchar -- The same number in international form, + and digits; null where the text is no plausible number, that is an unknown calling code, a length no number there has, any character but digits and separators, or a decimal fraction (15205201314.0).
  country_code: varchar -- Country of the number's range, ISO 3166 (with its reserved AC and TA, and XK for Kosovo); null for ranges of no country, such as satellite networks.
  range_operator: varchar -- Operator the number's range was given to; numbers are ported; null where none is known, or where the number has a digit too few or too many for a mobile.
*/
with codes as (
    select
        calling_code,
        national_prefix,
        string_split(regions, ' ') as regions,
        string_split(national_lengths, ' ')::bigint[] as national_lengths,
        string_split(mobile_lengths, ' ')::bigint[] as mobile_lengths
    from reference.calling_codes
),

-- No calling code begins like another one, so the first three digits tell which it is.
code_starts as (
    select
        start.range::varchar as three_digits,
        codes.*
    from range(100, 1000) as start
    join codes
        on starts_with(start.range::varchar, codes.calling_code)
),

home as (
    select
        calling_code,
        mobile_lengths
    from codes
    where list_contains(regions, getvariable('default_region'))
),

-- Most mobiles are digits already; translate costs ten times the test.
spelled as (
    select
        mobile,
        case
            when regexp_full_match(mobile, '\+?[0-9]+') then mobile
            -- a spreadsheet's number, 15205201314.0: with the dot left out it would have a digit more
            when regexp_full_match(mobile, '[+＋]?[0-9０-９]{7,}[.．][0-9０-９]*') then null
            else translate(mobile, '０１２３４５６７８９＋ -()./　－（）．／', '0123456789+')
        end as spelling
    from changed_mobiles
),

dialled as (
    select
        mobile,
        starts_with(spelling, '+') or starts_with(spelling, '00') as is_international,
        case
            when not regexp_full_match(spelling, '\+?[0-9]+') then null
            when starts_with(spelling, '+') then substr(spelling, 2)
            when starts_with(spelling, '00') then substr(spelling, 3)
            else spelling
        end as digits
    from spelled
),

-- A calling code needs no plus where what follows is as long as a mobile: 86 and eleven digits.
international as (
    select
        dialled.mobile,
        case
            when dialled.is_international then dialled.digits
            when starts_with(dialled.digits, home.calling_code)
                and list_contains(
                    home.mobile_lengths, length(dialled.digits) - length(home.calling_code)
                )
                then dialled.digits
            else home.calling_code || dialled.digits
        end as digits
    from dialled
    left join home
        on true
),

parted as (
    select
        international.mobile,
        code_starts.calling_code,
        code_starts.national_prefix,
        code_starts.national_lengths,
        code_starts.mobile_lengths,
        substr(international.digits, length(code_starts.calling_code) + 1) as national
    from international
    left join code_starts
        on code_starts.three_digits = left(international.digits, 3)
),

-- What is dialled only at home, such as the 0 of +44 (0) 7700, is no part of the number.
trimmed as (
    select
        mobile,
        calling_code,
        national_lengths,
        mobile_lengths,
        case
            when national_prefix <> ''
                and starts_with(national, national_prefix)
                and list_contains(national_lengths, length(national) - length(national_prefix))
                then substr(national, length(national_prefix) + 1)
            else national
        end as national
    from parted
),

plausible as (
    select
        mobile,
        case
            when list_contains(national_lengths, length(national)) then calling_code || national
        end as digits,
        list_contains(mobile_lengths, length(national)) as is_as_long_as_a_mobile
    from trimmed
),

-- Filled up to fifteen digits, numbers lie on one line; as integers they are compared faster.
placed as (
    select
        mobile,
        digits,
        is_as_long_as_a_mobile,
        rpad(digits, 15, '0')::bigint as place
    from plausible
),

ranges as (
    select
        range_start::bigint as range_start,
        country_code,
        operator
    from reference.number_ranges
)

select
    placed.mobile,
    '+' || placed.digits as mobile_e164,
    nullif(ranges.country_code, '') as country_code,
    case when placed.is_as_long_as_a_mobile then nullif(ranges.operator, '') end as range_operator
from placed
asof left join ranges
    on placed.place >= ranges.range_start
