/* assetflow
description = "Planes, with one spelling for each maker"
group = "staging"
owners = ["team:fleet"]
checks = [
    { unique = "tail_number" },
    { between = { column = "seats", min = 1, max = 853 }, description = "An A380 has 853" },
    { between = { column = "year_built", min = 1950, max = 2013 }, max_failures = 0 },
]
*/
select
    tailnum as tail_number,
    year::smallint as year_built,
    case
        when manufacturer like 'AIRBUS%' then 'Airbus'
        when manufacturer like 'BOEING%' then 'Boeing'
        when manufacturer like 'MCDONNELL%' or manufacturer = 'DOUGLAS' then 'McDonnell Douglas'
        when manufacturer like 'CANADAIR%' or manufacturer like 'BOMBARDIER%' then 'Bombardier'
        when manufacturer like 'EMBRAER%' then 'Embraer'
        else 'other'
    end as maker,
    model,
    seats::smallint as seats
from raw_planes
