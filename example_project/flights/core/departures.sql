/* assetflow
description = "Each flight with the weather of its hour"
group = "core"
owners = ["team:operations"]
partitions.daily = { start = "2013-01-01", end = "2014-01-01", timezone = "America/New_York" }
partition_by = "flight_date"
batch_size = 31
checks = [
    { unique = ["flight_date", "carrier", "flight_number", "origin"], name = "each_flight_once" },
    { references = "destination", to = "airports.airport", scope = "whole", name = "known_airports" },
]
*/
select
    flights.flight_date,
    flights.scheduled_hour,
    flights.carrier,
    flights.flight_number,
    flights.tail_number,
    flights.origin,
    flights.destination,
    flights.departure_delay,
    flights.is_cancelled,
    coalesce(hours.weather, 'unknown') as weather
from stg_flights as flights
left join hourly_weather as hours using (origin, weather_hour)
