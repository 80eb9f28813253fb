"""How late a carrier is when the weather is not to blame."""

from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc

from assetflow import Columns, asset

BY = ["carrier", "origin", "scheduled_hour"]


@asset(
    group="core",
    owners=["team:operations"],
    columns={
        "carrier": "VARCHAR",
        "origin": "VARCHAR",
        "scheduled_hour": "TINYINT",
        "baseline_tenths": {"type": "INTEGER", "description": "Tenths of minutes"},
    },
)
def carrier_baseline(
    departures: Annotated[pa.Table, Columns(*BY, "departure_delay", "weather")],
) -> pa.Table:
    """Mean delay of each carrier in fair weather.

    In tenths of minutes, by airport and hour of day. Delays pile up in the course of a
    day and differ between airports, so each hour at each airport has a baseline of its
    own: only what exceeds it is put down to weather.
    """
    left = departures.filter(pc.is_valid(departures["departure_delay"]))
    fair = left.filter(pc.equal(left["weather"], "fair"))
    sums = fair.group_by(BY).aggregate([("departure_delay", "sum"), ("departure_delay", "count")])
    baseline = _tenths(sums["departure_delay_sum"], sums["departure_delay_count"])
    return (
        sums.select(BY)
        .append_column("baseline_tenths", baseline)
        .sort_by([(name, "ascending") for name in BY])
    )


def _tenths(minutes: pa.ChunkedArray, flights: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the mean in tenths of minutes, rounded to a whole number."""
    mean = pc.divide(pc.multiply(minutes.cast(pa.float64()), 10.0), flights.cast(pa.float64()))
    return pc.round(mean).cast(pa.int32())
