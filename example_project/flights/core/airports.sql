/* assetflow
description = "Every airport that a flight can go to"
group = "core"
owners = ["team:operations"]
checks = [ { unique = "airport" } ]
*/
select airport, airport_name, latitude, longitude from stg_airports
union all
select airport, airport_name, latitude, longitude from airport_additions
