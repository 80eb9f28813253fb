/* assetflow
description = "Four airports that the register lacks"
group = "core"
owners = ["team:operations"]
*/
from (values
    ('BQN', 'Rafael Hernandez', 18.4949, -67.1294),
    ('PSE', 'Mercedita', 18.0083, -66.5630),
    ('SJU', 'Luis Munoz Marin', 18.4394, -66.0018),
    ('STT', 'Cyril E. King', 18.3373, -64.9734)
) as additions (airport, airport_name, latitude, longitude)
