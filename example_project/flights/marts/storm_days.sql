/* assetflow
description = "The days with the most cancelled flights"
group = "marts"
owners = ["team:meteorology"]
tags = ["published"]
*/
with days as (
    select
        flight_date,
        count(*) as flights,
        count(*) filter (is_cancelled) as cancelled
    from departures
    group by all
),

pressures as (
    select
        weather_date as flight_date,
        min(pressure) as lowest_pressure
    from stg_weather
    group by all
)

select flight_date, flights, cancelled, lowest_pressure
from days
left join pressures using (flight_date)
qualify row_number() over (order by cancelled desc, flight_date) <= $storm_days
