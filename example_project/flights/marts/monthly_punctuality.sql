/* assetflow
description = "How punctual each carrier is, month by month"
group = "marts"
owners = ["team:operations"]
tags = ["published"]
partitions.monthly = { start = "2013-01", end = "2014-01", timezone = "America/New_York" }
key_column = "month"
freshness = { deadline = "0 6 * * *", within = "1d", timezone = "America/New_York" }
*/
select
    carrier,
    count(*) as flights,
    from_tenths(count(*) filter (departure_delay < 15) * 1000, count(*)) as punctual_percent,
    from_tenths(count(*) filter (is_cancelled) * 1000, count(*)) as cancelled_percent
from departures
group by all
