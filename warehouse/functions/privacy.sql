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

create or replace temp macro exported_text(text) as
    -- runs of digits as long as a phone number lose all but their ends
    case getvariable('export_mobile')
        when 'plain' then text
        else regexp_replace(text, '([0-9]{2})[0-9]{4,}([0-9]{2})', '\1****\2', 'g')
    end;

-- assert: masked_mobile('15205201314', 'CN') = 'CN****1314'
-- assert: masked_mobile('+93703334567', 'AF') = 'AF****4567'
-- assert: masked_mobile('12', null) = '****'
-- assert: masked_mobile(null, 'CN') is null
