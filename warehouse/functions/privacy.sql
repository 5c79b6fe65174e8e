/*
description: How a mobile is written where others can read it; the setting is DLR_EXPORT_MOBILE.
*/
create or replace temp macro masked_mobile(mobile, country_code) as
    -- country and the last four digits; of a short text nothing is left
    case
        when length(mobile) >= 8 then coalesce(country_code, '') || '****' || right(mobile, 4)
        when mobile is not null then coalesce(country_code, '') || '****'
    end;

create or replace temp macro hmac_sha256(inner_pad, outer_pad, message) as
    -- RFC 2104; the pads are the key mixed with the two constants
    sha256(outer_pad || unhex(sha256(inner_pad || encode(message))));

create or replace temp macro exported_mobile(mobile, country_code) as
    case getvariable('export_mobile')
        when 'plain' then mobile
        when 'hashed' then hmac_sha256(getvariable('inner_pad'), getvariable('outer_pad'), mobile)
        else masked_mobile(mobile, country_code)
    end;

create or replace temp macro looks_like_phone(text) as
    -- + and 8 to 15 digits; or 11 digits that begin like a Chinese mobile, 86 before them or not, and
    -- neither digits nor letters of a hexadecimal id beside them. Blanks, dashes and dots may part
    -- the digits, and they may be full-width.
    length(text) >= 8 and regexp_matches(
        text,
        '(?:^|[^0-9a-fA-F０-９])(?:[0０]{0,2}[8８][6６][-–_./() 　－（）．]?)?[0０]?[1１][3-9３-９](?:[-–_./() 　－（）．]?[0-9０-９]){9}(?:$|[^0-9a-fA-F０-９])|[+＋](?:[-–_./() 　－（）．]{0,2}[0-9０-９]){8}'
    );

create or replace temp macro phones_struck(text) as
    regexp_replace(
        text,
        '(^|[^0-9a-fA-F０-９])(?:[0０]{0,2}[8８][6６][-–_./() 　－（）．]?)?[0０]?[1１][3-9３-９](?:[-–_./() 　－（）．]?[0-9０-９]){9}($|[^0-9a-fA-F０-９])|[+＋](?:[-–_./() 　－（）．]{0,2}[0-9０-９]){8,15}',
        '\1****\2',
        'g'
    );

create or replace temp macro without_phones(text) as
    -- twice: of two numbers with one character between them the first match takes it
    case when looks_like_phone(text) then phones_struck(phones_struck(text)) else text end;

create or replace temp macro without_own(text, mobile) as
    -- the row's own number is known by its last eight digits, however it goes on before them
    case
        when length(mobile) >= 8
            and contains(text, right(mobile, 8))
            and regexp_full_match(right(mobile, 8), '[0-9]+')
        then regexp_replace(text, '[+0-9]*' || right(mobile, 8), '****' || right(mobile, 4), 'g')
        else text
    end;

create or replace temp macro exported_text(text, mobile) as
    -- the words of others: what looks like a phone number is struck out, the rest is exact
    case getvariable('export_mobile')
        when 'plain' then text
        else without_phones(without_own(text, mobile))
    end;

create or replace temp macro exported_fragment(text) as
    -- what nobody could read: of every run of digits as long as a phone number the ends stay
    case getvariable('export_mobile')
        when 'plain' then text
        else without_phones(
            regexp_replace(text, '([0-9０-９]{2})[0-9０-９]{4,}([0-9０-９]{2})', '\1****\2', 'g')
        )
    end;

-- assert: masked_mobile('15205201314', 'CN') = 'CN****1314'
-- assert: masked_mobile('+93703334567', 'AF') = 'AF****4567'
-- assert: masked_mobile('12', null) = '****'
-- assert: masked_mobile(null, 'CN') is null
-- assert: looks_like_phone('13800138000')
-- assert: looks_like_phone('tel:13800138000')
-- assert: looks_like_phone('138-0013-8000')
-- assert: looks_like_phone('138 0013 8000')
-- assert: looks_like_phone('１３８００１３８０００')
-- assert: looks_like_phone('用户13800138000')
-- assert: looks_like_phone('user_13800138000')
-- assert: looks_like_phone('+8613800138000')
-- assert: looks_like_phone('8613800138000')
-- assert: looks_like_phone('0086 138 0013 8000')
-- assert: looks_like_phone('+93 70 333 4567')
-- assert: looks_like_phone('code+93703334567')
-- assert: not looks_like_phone('20260302155957')
-- assert: not looks_like_phone('2026-03-02 15:59:57')
-- assert: not looks_like_phone('m-19b8b741d508c722')
-- assert: not looks_like_phone('1853432740037838626')
-- assert: not looks_like_phone('1853432740037')
-- assert: not looks_like_phone('1767571201250')
-- assert: not looks_like_phone('0190b3c4-1345-6789-0123-456789012345')
-- assert: not looks_like_phone('MK:0001')
-- assert: not looks_like_phone('00000000-bf428e1d')
-- assert: not looks_like_phone('20261123/20261123T061500.123456Z-0f3a9c1b22d4.jsonl')
-- assert: without_phones('a 13800138000,13900139000 b') = 'a ****,**** b'
-- assert: without_phones('订单 42') = '订单 42'
-- assert: without_own('otpa15205201314x', '15205201314') = 'otpa****1314x'
-- assert: without_own('0703334567', '+93703334567') = '****4567'
-- assert: without_own('703334567-7', '+93703334567') = '****4567-7'
-- assert: without_own('uid', null) = 'uid'
