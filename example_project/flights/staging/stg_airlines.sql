/* assetflow
description = "Carriers, without Inc. and Co."
group = "staging"
owners = ["team:operations"]
checks = [ { unique = "carrier" }, { not_null = "carrier_name" } ]
*/
select
    carrier,
    regexp_replace(name, ' (Inc\.|Co\.|Corporation)$', '') as carrier_name
from raw_airlines
