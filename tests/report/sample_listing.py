"""Assets to be listed: with and without groups, partitions, checks and long descriptions."""

from assetflow.graph.inference import infer
from assetflow.model.asset import Asset, Options, Source, SqlBody
from assetflow.model.checks import Check
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.names import AssetName
from assetflow.model.partitions import daily

CHECKS = (Check("not_null", "not_null(id)"), Check("unique", "unique(id)"))


def asset(name, *reads, **options):
    inputs = tuple(Input(other, "sql") for other in reads)
    return Asset(AssetName(name), SqlBody(""), Location("shop/a.sql"), inputs, Options(**options))


LONG = "Orders as the shops send them, one row each, with the currency in which it was paid"
ASSETS = (
    asset(
        "staging_orders",
        "raw_orders",
        group="staging",
        checks=CHECKS,
        partitions=daily("2026-01-01"),
        description=LONG,
    ),
    asset("rates", group="staging", description="What a euro costs"),
    asset(
        "revenue_of_each_store_and_day",
        "staging_orders",
        "rates",
        group="marts",
        description="What each store took in on each day, in euros\n\nAt the rates of that day.",
    ),
)
GRAPH, _ = infer(
    ASSETS,
    [Source(AssetName("raw_orders"), Location("shop/sources.py"), path="data/*.csv")],
    {one.name: one.inputs for one in ASSETS},
)
NAMES = [AssetName("raw_orders"), *(one.name for one in ASSETS)]
