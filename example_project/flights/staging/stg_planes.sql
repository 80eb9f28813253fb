/* assetflow
description = "Planes, with one spelling for each maker"
group = "staging"
owners = ["team:fleet"]
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
