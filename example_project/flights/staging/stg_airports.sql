/* assetflow
description = "Airports by their three letters"
group = "staging"
owners = ["team:operations"]
*/
select
    faa as airport,
    name as airport_name,
    lat as latitude,
    lon as longitude
from raw_airports
