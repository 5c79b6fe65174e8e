/*
description: What is said of a latency; its percentiles, and the bucket it falls in.
*/
create or replace temp macro latency_figures(value_s) as
    {
        'n': count(value_s),
        'negative': count(*) filter (where value_s < 0),
        'percentiles': quantile_cont(value_s, [0.5, 0.9, 0.95, 0.99]),
        'max_s': max(value_s)
    };

create or replace temp macro latency_bound(value_s) as
    -- upper bound of the bucket, itself included
    case
        when value_s <= 1 then 1::double
        when value_s <= 2 then 2
        when value_s <= 3 then 3
        when value_s <= 5 then 5
        when value_s <= 10 then 10
        when value_s <= 30 then 30
        when value_s <= 60 then 60
        when value_s <= 180 then 180
        when value_s <= 600 then 600
        when value_s <= 3600 then 3600
        when value_s is not null then 'infinity'::double
    end;

-- assert: latency_bound(-1) = 1
-- assert: latency_bound(1) = 1
-- assert: latency_bound(1.001) = 2
-- assert: latency_bound(3601) = 'infinity'::double
-- assert: latency_bound(null) is null
