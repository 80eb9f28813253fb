"""What checks read orders the graph, and is no lineage."""

from dataclasses import replace

from assetflow.graph.inference import infer
from assetflow.graph.selection import select
from assetflow.model.asset import Asset, Options, Source, SqlBody
from assetflow.model.checks import Check
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.names import AssetName


def asset(name: str, *reads: str, checks: tuple[str, ...] = ()) -> Asset:
    """An asset that reads `reads`, and whose checks read `checks`, one each."""
    place = Location(f"shop/{name}.sql")
    made = tuple(
        Check(
            "references", f"in {other}", inputs=(Input(other, "sql", upstream=other),),
            location=replace(place, line=2),
        )
        for other in checks
    )  # fmt: skip
    inputs = tuple(Input(other, "sql") for other in reads)
    return Asset(AssetName(name), SqlBody(""), place, inputs, Options(checks=made))


def inferred(*assets: Asset, sources: tuple[str, ...] = ()):
    declared = [Source(AssetName(name), Location("shop/sources.py")) for name in sources]
    return infer(assets, declared, {one.name: one.inputs for one in assets})


def test_what_a_check_reads_stands_before_its_asset():
    graph, errors = inferred(
        asset("a", checks=("z", "raw", "a")), asset("b", "a"), asset("z"), sources=("raw",)
    )

    assert not errors
    assert list(graph.assets) == ["z", "a", "b"]
    assert graph.audits == {"a": ("z", "raw")}


def test_what_a_check_reads_is_no_lineage():
    graph, _ = inferred(asset("a", checks=("z",)), asset("z"))

    assert graph.upstreams["a"] == ()
    assert graph.all_downstream(["z"]) == set()
    assert select(graph, ["+a"]) == {"a"}


def test_without_checks_of_others_the_order_is_that_of_lineage():
    graph, _ = inferred(asset("a", checks=("a",)), asset("b"), asset("z", "a"))

    assert list(graph.assets) == ["a", "b", "z"]
    assert graph.audits == {}


MADE_FROM_IT = """\
The check 'in totals' of 'orders' reads 'totals', which is made from it.
  path        orders → days → totals
  defined in  shop/orders.sql:2
Declare it on 'totals': only then is there something to compare."""

IN_TURN = """\
These assets wait for one another's checks in a circle.
  a  reads c in its check 'in c'  shop/a.sql:2
  c  reads b                      shop/c.sql:1
  b  reads a in its check 'in a'  shop/b.sql:2
Declare one of these checks on another asset of the circle."""


def test_a_check_of_what_is_made_from_its_asset_is_an_error():
    _, errors = inferred(
        asset("orders", checks=("totals",)),
        asset("days", "orders"),
        asset("totals", "days"),
        asset("behind", "totals", checks=("days",)),
    )

    assert [str(error) for error in errors] == [MADE_FROM_IT]


def test_checks_that_wait_for_one_another_are_an_error():
    _, errors = inferred(
        asset("a", checks=("c",)), asset("b", checks=("a",)), asset("c", "b"), asset("d", "a")
    )

    assert [str(error) for error in errors] == [IN_TURN]


def test_a_circle_of_lineage_is_told_as_such():
    _, errors = inferred(asset("a", "b", checks=("b",)), asset("b", "a"), asset("c"))

    assert [error.code for error in errors] == ["circle"]


def test_what_is_needed_is_what_assets_are_made_from_and_checked_against():
    graph, _ = inferred(
        asset("a", "b", checks=("z",)),
        asset("b", checks=("y",)),
        asset("z", "raw", checks=("x",)),
        *(asset(name) for name in "yx"),
        asset("other", checks=("a",)),
        sources=("raw",),
    )

    assert graph.all_needed(["a"]) == {"b", "y", "z", "raw", "x"}
    assert graph.all_needed(["x"]) == set()


def test_assets_of_one_function_wait_together():
    first, second = asset("a"), asset("b", checks=("c",))
    made = [first, replace(second, body=first.body)]

    _, errors = inferred(*made, asset("c", "a"))
    graph, none = inferred(*made, asset("c"))

    assert not none
    assert list(graph.assets) == ["c", "a", "b"]
    assert [str(error).splitlines()[:2] for error in errors] == [
        ["The check 'in c' of 'b' reads 'c', which is made from it.", "  path        a → c"]
    ]
