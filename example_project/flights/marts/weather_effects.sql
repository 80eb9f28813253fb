/* assetflow
description = "What each weather costs each carrier"
group = "marts"
owners = ["team:operations"]
tags = ["published"]
*/
select
    carrier,
    weather,
    count(*) as flights,
    from_tenths(sum(excess_tenths), count(excess_tenths)) as excess_minutes,
    from_tenths(count(*) filter (is_cancelled) * 1000, count(*)) as cancelled_percent
from delay_excess
where weather <> 'unknown'
group by all
