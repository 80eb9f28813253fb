/* assetflow
description = "What bad weather in New York costs by destination"
group = "marts"
owners = ["team:operations"]
tags = ["published"]
*/
select
    destination,
    airport_name,
    count(*) as flights,
    from_tenths(sum(excess_tenths), count(excess_tenths)) as excess_minutes
from delay_excess
left join airports on destination = airport
where weather not in ('fair', 'unknown')
group by all
