/*
description: Text helpers that make equal what people mean as equal. nfkc(text) is Unicode's own normal form; it comes from Python (pipelines/models/functions.py), because DuckDB has only NFC.
*/
create or replace temp macro carrier_code_key(code) as
    -- the normalised copy by which codes are looked up; prefixes stay, `MI00022` is not `MI:0022`
    upper(regexp_replace(
        regexp_replace(nfkc(code), '^[\s\v\p{Z}]+|[\s\v\p{Z}]+$', '', 'g'),
        '[\s\v\p{Z}]*:[\s\v\p{Z}]*', ':', 'g'
    ));

-- assert: carrier_code_key(' mk : 0001 ') = 'MK:0001'
-- assert: carrier_code_key('ＭＫ：０００１') = 'MK:0001'
-- assert: carrier_code_key('MI00022') <> carrier_code_key('MI:0022')
-- assert: carrier_code_key(null) is null
