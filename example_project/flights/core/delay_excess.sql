/* assetflow
description = "By how much each flight exceeds the baseline of its carrier"
group = "core"
owners = ["team:operations"]
checks = [
    { aggregate = { function = "median", column = "excess_tenths", min = -150, max = 0 } },
    { drift = "weather", severity = "warn", description = "The year does not change its weather" },
]
*/
select
    departures.carrier,
    departures.origin,
    departures.destination,
    departures.tail_number,
    departures.weather,
    departures.is_cancelled,
    departures.departure_delay::integer * 10 - baseline.baseline_tenths as excess_tenths
from departures
join carrier_baseline as baseline using (carrier, origin, scheduled_hour)
