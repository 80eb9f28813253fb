"""A table of selections over one small graph."""

import pytest

from assetflow.errors import BadSelection, UnknownSelection
from assetflow.graph.graph import AssetGraph
from assetflow.graph.inference import infer
from assetflow.graph.selection import select
from assetflow.model.asset import Asset, Options, Source, SqlBody
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.names import AssetName


def asset(name: str, *reads: str, path: str = "shop/marts.py", **options) -> Asset:
    return Asset(
        AssetName(name),
        SqlBody(""),
        Location(path),
        tuple(Input(other, "sql") for other in reads),
        Options(**options),
    )


@pytest.fixture(scope="module")
def graph() -> AssetGraph:
    assets = [
        asset("stg_orders", "raw", tags=("daily",), path="shop/staging/orders.sql"),
        asset("stg_stores", "raw", tags=("weekly",), path="shop/staging/stores.sql"),
        asset("revenue", "stg_orders", "stg_stores", group="marts", tags=("daily",)),
        asset("forecast", "revenue", group="marts", owners=("team:finance",)),
        asset("staging.customers", "raw"),
    ]
    sources = [Source(AssetName("raw"), Location("shop/sources.py"))]
    found, errors = infer(assets, sources, {one.name: one.inputs for one in assets})
    assert not errors
    return found


CASES = {
    "revenue": {"revenue"},
    "REVENUE": {"revenue"},
    "staging.customers": {"staging.customers"},
    "stg_*": {"stg_orders", "stg_stores"},
    "+revenue": {"stg_orders", "stg_stores", "revenue"},
    "revenue+": {"revenue", "forecast"},
    "1+forecast": {"revenue", "forecast"},
    "stg_orders+1": {"stg_orders", "revenue"},
    "+revenue+": {"stg_orders", "stg_stores", "revenue", "forecast"},
    "raw+1": {"stg_orders", "stg_stores", "staging.customers"},
    "raw": set(),
    "tag:daily": {"stg_orders", "revenue"},
    "tag:d*": {"stg_orders", "revenue"},
    "tag:daily,group:marts": {"revenue"},
    "tag:daily,+forecast": {"stg_orders", "revenue"},
    "owner:team:finance": {"forecast"},
    "kind:sql,stg_*": {"stg_orders", "stg_stores"},
    "path:shop/staging": {"stg_orders", "stg_stores"},
    "path:shop/staging/*.sql": {"stg_orders", "stg_stores"},
    "status:stale": {"forecast"},
    "status:overdue": set(),
}


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=CASES)
def test_selects(graph, text, expected):
    assert select(graph, [text], statuses={AssetName("forecast"): ["stale"]}) == expected


def test_several_texts_are_a_union_and_exclude_takes_away(graph):
    assert select(graph, ["stg_*", "forecast"], ["tag:weekly"]) == {"stg_orders", "forecast"}


@pytest.mark.parametrize("text", ["", "a,,b", "+", "a++b", "tag:", "colour:red"])
def test_what_cannot_be_read_is_an_error(graph, text):
    with pytest.raises(BadSelection):
        select(graph, [text])


def test_a_name_that_is_nothing_gets_the_nearest(graph):
    with pytest.raises(UnknownSelection) as caught:
        select(graph, ["revenu"])

    assert str(caught.value) == "Nothing is selected by 'revenu'.\nDid you mean 'revenue'?"
