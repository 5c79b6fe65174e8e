/*
description: The wire form of a push: application/x-www-form-urlencoded, sometimes encoded again; and what in JSON can be read in more than one way.
*/
create or replace temp macro form_decode(text) as
    -- DuckDB's url_decode leaves + alone and raises on bytes that are not UTF-8: null then
    try(url_decode(replace(text, '+', ' ')));

create or replace temp macro restored_mobile(mobile) as
    -- an unencoded + became a space when the form was decoded
    case
        when starts_with(mobile, ' ') and regexp_full_match(mobile, ' [0-9]+')
        then '+' || mobile[2:]
        else mobile
    end;

create or replace temp macro json_numbers_quoted(text) as
    -- DuckDB rewrites a number that has a fraction or an exponent; as a string it is let alone.
    -- Within a string this breaks the JSON, so what comes out as JSON means what it did.
    case
        when regexp_matches(text, ':\s*-?[0-9]+[.eE]')
        then regexp_replace(
            text,
            '(:\s*)(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))(\s*[,}])',
            '\1"\2"\3',
            'g'
        )
        else text
    end;

create or replace temp macro is_lax_json(text) as
    -- DuckDB reads more than JSON (NaN, a trailing comma) and rewrites what is nested
    -- (several patterns, for one that begins in two ways takes ten times as long)
    regexp_matches(text, ':\s*(?:[\[{]|-?[nN][aA]|-?[iI])') or regexp_matches(text, ',\s*[\]}]');

-- assert: form_decode('%E6%8E%A5+%2B') = '接 +'
-- assert: form_decode('100%') = '100%'
-- assert: form_decode('%ff') is null
-- assert: restored_mobile(' 93703334567') = '+93703334567'
-- assert: restored_mobile(' ') = ' '
-- assert: json_numbers_quoted('[{"a":1.50,"b": -0.0 ,"c":-0}]') = '[{"a":"1.50","b": "-0.0" ,"c":-0}]'
-- assert: not json_valid(json_numbers_quoted('[{"a":",:1.50,"}]'))
-- assert: not json_valid(json_numbers_quoted('[{"a":1.}]'))
-- assert: is_lax_json('[{"a":NaN}]') and is_lax_json('[1, ]') and is_lax_json('[{"a":[1]}]')
