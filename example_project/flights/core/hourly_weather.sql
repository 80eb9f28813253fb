/* assetflow
description = "One word for the weather of each hour"
group = "core"
owners = ["team:meteorology"]
*/
select
    origin,
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
