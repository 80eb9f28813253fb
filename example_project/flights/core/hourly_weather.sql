/* assetflow
description = "One word for the weather of each hour"
group = "core"
owners = ["team:meteorology"]
partitions.daily = { start = "2013-01-01", end = "2014-01-01", timezone = "America/New_York" }
partition_by = "weather_date"
batch_size = 31
checks = [
    { unique = ["origin", "weather_hour"] },
    { row_count = { min = 66, max = 75 }, severity = "warn", description = "Three airports, up to 25 hours" },
]
*/
select
    origin,
    weather_date,
    weather_hour,
    weather_kind(
        visibility,
        rain,
        greatest(wind, gust),
        temperature,
        $low_visibility_miles,
        $strong_wind_knots
    ) as weather
from stg_weather
