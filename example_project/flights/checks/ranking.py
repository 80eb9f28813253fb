"""Checks of the answer itself."""

import polars as pl
from flights.marts.carrier_ranking import carrier_ranking

from assetflow import check


@check(carrier_ranking)
def places_follow_one_another(carrier_ranking: pl.DataFrame) -> pl.DataFrame:
    """In each weather the places are 1, 2, 3, and so on, the worst first."""
    in_order = carrier_ranking.sort("weather", "place").with_columns(
        expected=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("weather"),
        before=pl.col("excess_minutes").shift(1).over("weather"),
    )
    return in_order.filter(
        (pl.col("place") != pl.col("expected")) | (pl.col("excess_minutes") > pl.col("before"))
    )
