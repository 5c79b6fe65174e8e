/*
description: Percentiles of what was summed up from marts.latency_buckets_hourly, over any cut; the exact ones there are in marts.latency_hourly.
published: also in analytics.duckdb, for its readers
*/
create or replace temp macro nearest_rank(n, p) as
    -- the smallest rank at or below which a share p of n values lies; 0.07 * 100 is above 7 in floats
    greatest(1, ceil(round(p * n, 6)));

create or replace temp macro percentile_of_buckets(upper_bound_s, n, p) as
    -- an aggregate: the upper bound of the bucket that holds the percentile (nearest rank); the
    -- exact one lies in that bucket, so the error is at most its width, and unknown above 3600 s
    case
        when not sum(n) > 0 or sum(n) is null then null
        when sum(n) filter (where upper_bound_s <= 1) >= nearest_rank(sum(n), p) then 1.0::double
        when sum(n) filter (where upper_bound_s <= 2) >= nearest_rank(sum(n), p) then 2
        when sum(n) filter (where upper_bound_s <= 3) >= nearest_rank(sum(n), p) then 3
        when sum(n) filter (where upper_bound_s <= 5) >= nearest_rank(sum(n), p) then 5
        when sum(n) filter (where upper_bound_s <= 10) >= nearest_rank(sum(n), p) then 10
        when sum(n) filter (where upper_bound_s <= 30) >= nearest_rank(sum(n), p) then 30
        when sum(n) filter (where upper_bound_s <= 60) >= nearest_rank(sum(n), p) then 60
        when sum(n) filter (where upper_bound_s <= 180) >= nearest_rank(sum(n), p) then 180
        when sum(n) filter (where upper_bound_s <= 600) >= nearest_rank(sum(n), p) then 600
        when sum(n) filter (where upper_bound_s <= 3600) >= nearest_rank(sum(n), p) then 3600
        else 'infinity'::double
    end;

-- assert: nearest_rank(100, 0.07) = 7
-- assert: nearest_rank(20, 0.95) = 19
-- assert: nearest_rank(3, 0.0) = 1
-- assert: (select percentile_of_buckets(b, n, 0.95) from (values (1, 10), (3, 9), (600, 1)) as t (b, n)) = 3
-- assert: (select percentile_of_buckets(b, n, 0.96) from (values (1, 10), (3, 9), (600, 1)) as t (b, n)) = 600
-- assert: (select percentile_of_buckets(b, n, 0.5) from (values (1, 1), (1, 1), (2, 1), (2, 1)) as t (b, n)) = 1
-- assert: (select percentile_of_buckets(b, n, 1) from (values (5, 1), ('infinity'::double, 1)) as t (b, n)) = 'infinity'::double
-- assert: (select percentile_of_buckets(b, n, 0.5) from (values (1, 0)) as t (b, n)) is null
