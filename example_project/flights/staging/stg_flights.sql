/* assetflow
description = "Scheduled departures, typed; one that never left is cancelled"
group = "staging"
owners = ["team:operations"]
partitions.daily = { start = "2013-01-01", end = "2014-01-01", timezone = "America/New_York" }
partition_by = "flight_date"
batch_size = 31
checks = [
    { unique = ["flight_date", "carrier", "flight_number", "origin"], name = "each_flight_once" },
    { row_count = { min = 500 } },
    { anomaly = "row_count", severity = "warn", name = "usual_day", description = "As many flights as on other days" },
    { accepted_values = { column = "origin", values = ["EWR", "JFK", "LGA"] } },
    { references = "tail_number", to = "stg_planes.tail_number", max_fraction = 0.2, name = "known_planes" },
    { references = "destination", to = "stg_airports.airport", max_fraction = 0.05, scope = "whole", name = "known_airports" },
    { expression = "distance < 620 / 60.0 * air_minutes", name = "possible_speed", severity = "warn" },
]
contract = "additive"
columns.flight_date.type = "DATE"
columns.flight_date.nullable = false
columns.flight_date.description = "The local day of the scheduled departure"
columns.departure_delay.type = "SMALLINT"
columns.departure_delay.description = "Minutes; negative is early, null is cancelled"
*/
select
    make_date(year, month, day) as flight_date,
    hour::tinyint as scheduled_hour,
    time_hour::timestamp as weather_hour, -- UTC
    carrier,
    flight::smallint as flight_number,
    tailnum as tail_number,
    origin,
    dest as destination,
    dep_delay::smallint as departure_delay,
    arr_delay::smallint as arrival_delay,
    air_time::smallint as air_minutes,
    distance::smallint as distance,
    dep_time is null as is_cancelled,
    dep_time is not null and arr_delay is null as is_diverted
from raw_flights
