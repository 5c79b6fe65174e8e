/*
description: The lines of one JSON Lines file of the send log (send_lines), taken apart where each can be read in one way only; fields is null for the others, which go through Python.
grain: position
materialized: temporary
*/
with numbered as (
    select line, row_number() over () as position
    from send_lines
    where trim(line, e' \t') <> ''
)

select
    line,
    position,
    case
        -- not what DuckDB would rewrite (numbers, nested values), nor what it accepts though it is not JSON
        when starts_with(trim(line, e' \t'), '{')
            and not regexp_matches(line, '\\|:\s*(?:[\[{]|-?[0-9]+[.eE]|-?[nN][aA]|-?[iI]|-0)|,\s*[\]}]')
            then try(from_json(
                line,
                '{"sid": "VARCHAR", "uid": "VARCHAR", "sent_at": "VARCHAR", "tag": "VARCHAR", "mobile": "VARCHAR"}'
            ))
    end as fields
from numbered
