-- Times of publication that are registered more than once, and another DLR_EXPORT_MOBILE than the
-- newest publication was made with.
with repeated as (
    select published_at_utc from ops.publications group by all having count(*) > 1
)

select
    'ops.publications' as place, '' as kind,
    format('{:,}', count(*)) || ' publications are listed twice.' as sentence
from repeated
having count(*) > 0
union all
select
    'ops.publications', '',
    'mobiles were published ' || shown(mobile) || ', but DLR_EXPORT_MOBILE is '
        || getvariable('export_mobile') || '; `dlr run` publishes them again.'
from (from ops.publications order by published_at_utc desc limit 1)
where mobile is distinct from getvariable('export_mobile')
