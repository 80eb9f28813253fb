/* assetflow
description = "Hourly weather in knots, inches and miles"
group = "staging"
owners = ["team:meteorology"]
partitions.daily = { start = "2013-01-01", end = "2014-01-01", timezone = "America/New_York" }
partition_by = "weather_date"
batch_size = 31
checks = [
    { unique = ["origin", "weather_hour"] },
    { between = { column = "wind", max = 220 }, on_failure = "quarantine", name = "possible_wind" },
    { expression = "gust >= wind", name = "gusts_exceed_the_wind" },
]
*/
select
    origin,
    make_date(year, month, day) as weather_date, -- New York, like the days of flights
    time_hour::timestamp as weather_hour, -- UTC
    temp::decimal(5, 1) as temperature, -- Fahrenheit
    round(wind_speed / 1.15078)::smallint as wind,
    round(wind_gust / 1.15078)::smallint as gust,
    precip::decimal(4, 2) as rain,
    visib::decimal(4, 2) as visibility,
    pressure::decimal(5, 1) as pressure
from raw_weather
