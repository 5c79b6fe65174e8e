/*
description: Text helpers that make equal what people mean as equal.
*/
create or replace temp macro narrow(text) as
    -- full-width forms (U+FF01 to U+FF5E) and the ideographic space, as NFKC folds them
    translate(
        text,
        '　！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～',
        ' !"#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~'
    );

create or replace temp macro carrier_code_key(code) as
    -- the normalised copy by which codes are looked up; prefixes stay, `MI00022` is not `MI:0022`
    upper(regexp_replace(regexp_replace(narrow(code), '^\s+|\s+$', '', 'g'), '\s*:\s*', ':', 'g'));

-- assert: carrier_code_key(' mk : 0001 ') = 'MK:0001'
-- assert: carrier_code_key('ＭＫ：０００１') = 'MK:0001'
-- assert: carrier_code_key('MI00022') <> carrier_code_key('MI:0022')
-- assert: carrier_code_key(null) is null
