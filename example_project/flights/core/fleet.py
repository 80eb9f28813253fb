"""The planes that fly from New York, and the tail numbers that nobody knows."""

from typing import Annotated

import polars as pl

from assetflow import AssetContext, Columns, asset

SIZES = {"small": 100, "medium": 200, "large": 1_000}


@asset(outputs=["fleet", "unknown_tail_numbers"], group="core", owners=["team:fleet"])
def planes_in_service(
    stg_flights: Annotated[pl.DataFrame, Columns("tail_number", "carrier", "is_cancelled")],
    stg_planes: pl.DataFrame,
    context: AssetContext,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Planes with their flights: those in the register, and the others."""
    flown = (
        stg_flights.filter(~pl.col("is_cancelled") & pl.col("tail_number").is_not_null())
        .group_by("tail_number", "carrier")
        .agg(pl.len().cast(pl.Int32).alias("flights"))
        .sort("tail_number", "carrier")
    )
    known = flown.join(stg_planes, on="tail_number", how="inner").with_columns(size=_size())
    unknown = flown.join(stg_planes, on="tail_number", how="anti")
    context.report(known=len(known), unknown=len(unknown))
    return known.sort("tail_number", "carrier"), unknown.sort("tail_number", "carrier")


def _size() -> pl.Expr:
    """Return the size of a plane in one word, by its seats."""
    size = pl.when(False).then(pl.lit(""))  # noqa: FBT003 - the start of a chain
    for name, below in SIZES.items():
        size = size.when(pl.col("seats") < below).then(pl.lit(name))
    return size.otherwise(pl.lit("unknown"))
