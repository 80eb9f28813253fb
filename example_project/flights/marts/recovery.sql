/* assetflow
description = "Each day beside the week that ends with it: is the airport recovering?"
group = "marts"
owners = ["team:operations"]
tags = ["published"]
partitions.daily = { start = "2013-01-01", end = "2014-01-01", timezone = "America/New_York" }
mappings.departures = { trailing = 7 }
*/
select
    $partition_start::date as flight_date,
    origin,
    count(*) filter (flight_date = $partition_start::date) as flights,
    count(*) filter (flight_date = $partition_start::date and is_cancelled) as cancelled,
    count(*) as flights_7_days,
    count(*) filter (is_cancelled) as cancelled_7_days,
    from_tenths(sum(departure_delay) * 10, count(departure_delay)) as mean_delay_7_days
from departures
group by all
