/*
description: The wire form of a push: application/x-www-form-urlencoded, sometimes encoded again; and what in JSON can be read in more than one way.
*/
create or replace temp macro form_decode(text) as
    -- DuckDB's url_decode leaves + alone and raises on bytes that are not UTF-8: null then
    try(url_decode(replace(text, '+', ' ')));

create or replace temp macro tab_decode(text) as
    -- the same with a tab for each plus: in JSON a blank as well, but within a text to be told from one
    try(url_decode(replace(text, '+', chr(9))));

create or replace temp macro json_plus_marked(tabbed) as
    -- every text that began with a plus begins with a tab, as JSON writes one; the other blanks are
    -- blanks again. No JSON comes out where a plus followed a text.
    replace(replace(tabbed, '"' || chr(9), '"\t'), chr(9), ' ');

create or replace temp macro lost_plus(mobile) as
    starts_with(mobile, ' ') and regexp_full_match(mobile, ' [0-9]+');

create or replace temp macro json_numbers_quoted(text) as
    -- a number with a fraction or an exponent as a string, which DuckDB does not rewrite; within a
    -- string this breaks the JSON, so what comes out as JSON means what it did
    regexp_replace(
        text,
        '(:\s*)(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))(\s*[,}])',
        '\1"\2"\3',
        'g'
    );

create or replace temp macro exact_json(text) as
    -- DuckDB reads more than JSON (NaN, a trailing comma) and rewrites what is nested: null then.
    -- (Two patterns, for one that begins in two ways takes ten times as long.)
    case
        when regexp_matches(text, ',\s*[\]}]') then null
        when not regexp_matches(text, ':\s*(?:[\[{]|-?[0-9]+[.eE]|-?[nN][aA]|-?[iI])') then text
        when not regexp_matches(text, ':\s*(?:[\[{]|-?[nN][aA]|-?[iI])') then json_numbers_quoted(text)
    end;

-- assert: form_decode('%E6%8E%A5+%2B') = '接 +'
-- assert: form_decode('100%') = '100%'
-- assert: form_decode('%ff') is null
-- assert: tab_decode('a+b%20%2B') = 'a' || chr(9) || 'b +'
-- assert: json_plus_marked(tab_decode('[+"+1",+"a+b"]')) = '[ "\t1", "a b"]'
-- assert: not json_valid(json_plus_marked(tab_decode('{"a"+:1}')))
-- assert: lost_plus(' 93703334567')
-- assert: not lost_plus(' ')
-- assert: json_numbers_quoted('[{"a":1.50,"b": -0.0 ,"c":-0}]') = '[{"a":"1.50","b": "-0.0" ,"c":-0}]'
-- assert: not json_valid(json_numbers_quoted('[{"a":",:1.50,"}]'))
-- assert: not json_valid(json_numbers_quoted('[{"a":1.}]'))
-- assert: exact_json('[{"a":1}]') = '[{"a":1}]'
-- assert: exact_json('[{"a":1.50}]') = '[{"a":"1.50"}]'
-- assert: coalesce(exact_json('[{"a":NaN}]'), exact_json('[1, ]'), exact_json('[{"a":[1]}]')) is null
