/* assetflow
description = "Carriers, without Inc. and Co."
group = "staging"
owners = ["team:operations"]
*/
select
    carrier,
    regexp_replace(name, ' (Inc\.|Co\.|Corporation)$', '') as carrier_name
from raw_airlines
