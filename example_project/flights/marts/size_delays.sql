/* assetflow
description = "Are small planes held on the ground first?"
group = "marts"
owners = ["team:fleet"]
tags = ["published"]
*/
select
    weather,
    size,
    count(*) as flights,
    from_tenths(sum(excess_tenths), count(excess_tenths)) as excess_minutes
from delay_excess
join fleet using (tail_number, carrier)
where weather <> 'unknown'
group by all
