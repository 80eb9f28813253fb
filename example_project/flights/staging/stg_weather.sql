/* assetflow
description = "Hourly weather in knots, inches and miles"
group = "staging"
owners = ["team:meteorology"]
*/
select
    origin,
    time_hour::timestamp as weather_hour, -- UTC
    temp::decimal(5, 1) as temperature, -- Fahrenheit
    -- One hour at Newark says 1,048 mph. The fastest wind ever measured on land was 253.
    case when wind_speed < 253 then round(wind_speed / 1.15078)::smallint end as wind,
    round(wind_gust / 1.15078)::smallint as gust,
    precip::decimal(4, 2) as rain,
    visib::decimal(4, 2) as visibility,
    pressure::decimal(5, 1) as pressure
from raw_weather
