"""Which carrier suffers most from which weather."""

import polars as pl

from assetflow import Config, asset


class RankingConfig(Config):
    """What a carrier needs to be ranked, so that no dozen of flights makes a headline."""

    min_flights: int = 100


@asset(group="marts", owners=["team:operations"], tags=["published"])
def carrier_ranking(
    weather_effects: pl.DataFrame, stg_airlines: pl.DataFrame, config: RankingConfig
) -> pl.DataFrame:
    """Carriers ranked in each weather by what it costs them."""
    ranked = weather_effects.filter(
        (pl.col("flights") >= config.min_flights) & (pl.col("weather") != "fair")
    )
    return (
        ranked.with_columns(
            place=pl.col("excess_minutes")
            .rank("ordinal", descending=True)
            .over("weather", order_by="carrier")
            .cast(pl.Int32)
        )
        .join(stg_airlines, on="carrier", how="left")
        .select("weather", "place", "carrier", "carrier_name", "excess_minutes", "flights")
        .sort("weather", "place")
    )
