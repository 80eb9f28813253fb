"""What the project reads and does not make: the files that prepare_data.py writes."""

from assetflow import Freshness, daily, source

DAYS = daily("2013-01-01", end="2014-01-01", timezone="America/New_York")

source(
    "raw_flights",
    path="data/flights/{day}.csv",
    partitions=DAYS,
    read_options={"nullstr": "NA"},
    description="Scheduled departures, one file a day",
    owners=["team:operations"],
    tags=["raw"],
)
source(
    "raw_weather",
    path="data/weather.csv",
    event_time="time_hour",
    timezone="UTC",
    read_options={"nullstr": "NA"},
    description="What the airports measured, hour by hour",
    owners=["team:meteorology"],
    freshness=Freshness(max_lag="1d"),
    tags=["raw"],
)
source(
    "raw_planes",
    path="data/planes.parquet",
    description="The register of planes; one in six is missing",
    owners=["team:fleet"],
    tags=["raw"],
)
source(
    "raw_airports",
    path="data/airports.parquet",
    static=True,
    description="Airports of the fifty states",
    owners=["team:operations"],
    tags=["raw"],
)
