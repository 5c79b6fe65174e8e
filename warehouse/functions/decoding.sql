/*
description: The wire form of a push: application/x-www-form-urlencoded, sometimes encoded again.
*/
create or replace temp macro form_decode(text) as
    -- DuckDB's url_decode leaves + alone and raises on bytes that are not UTF-8: null then
    try(url_decode(replace(text, '+', ' ')));

create or replace temp macro restored_mobile(mobile) as
    -- an unencoded + became a space when the form was decoded
    case when regexp_full_match(mobile, ' [0-9]+') then '+' || mobile[2:] else mobile end;

-- assert: form_decode('%E6%8E%A5+%2B') = '接 +'
-- assert: form_decode('100%') = '100%'
-- assert: form_decode('%ff') is null
-- assert: restored_mobile(' 93703334567') = '+93703334567'
-- assert: restored_mobile(' ') = ' '
