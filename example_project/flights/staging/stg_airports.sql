/* assetflow
description = "Airports by their three letters"
group = "staging"
owners = ["team:operations"]
checks = [
    { unique = "airport" },
    { matches = "airport", pattern = "^[A-Z0-9]{3}$" },
    { between = { column = "latitude", min = -90, max = 90 } },
]
*/
select
    faa as airport,
    name as airport_name,
    lat as latitude,
    lon as longitude
from raw_airports
