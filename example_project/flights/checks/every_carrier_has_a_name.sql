/* assetflow check
asset = "stg_airlines"
description = "Who flies is named; else the message with the names came incomplete"
on_failure = "repair"
*/
select carrier, count(*) as flights
from stg_flights
anti join stg_airlines using (carrier)
group by all
