/* assetflow
description = "One word for the weather of each hour"
group = "core"
owners = ["team:meteorology"]
partitions.daily = { start = "2013-01-01", end = "2014-01-01", timezone = "America/New_York" }
partition_by = "weather_date"
batch_size = 31
checks = [
    { references = ["origin", "weather_hour"], to = ["stg_weather.origin", "stg_weather.weather_hour"] },
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
