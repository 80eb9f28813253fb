"""How the graph is inferred, and what is wrong with it when it cannot be."""

from assetflow.graph.inference import infer
from assetflow.model.asset import Asset, Source, SqlBody
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.names import AssetName


def asset(name: str, *reads: str) -> Asset:
    inputs = tuple(Input(other, "sql", line=3) for other in reads)
    return Asset(AssetName(name), SqlBody(""), Location(f"shop/{name}.sql"), inputs)


def inferred(*assets: Asset, sources: tuple[str, ...] = ()):
    declared = [Source(AssetName(name), Location("shop/sources.py")) for name in sources]
    return infer(assets, declared, {one.name: one.inputs for one in assets})


def test_assets_stand_upstream_first_and_else_by_name():
    graph, errors = inferred(asset("b", "c"), asset("a", "b"), asset("c"), asset("d"))

    assert not errors
    assert list(graph.assets) == ["c", "b", "a", "d"]
    assert graph.upstreams["a"] == ("b",)
    assert graph.downstreams["c"] == ("b",)


def test_names_are_compared_without_case():
    graph, errors = inferred(asset("Report", "ORDERS"), asset("orders", "Raw"), sources=("raw",))

    assert not errors
    assert graph.upstreams["Report"] == ("orders",)
    assert graph.upstreams["orders"] == ("raw",)


UNKNOWN = """\
No asset or source is named 'order'.
  needed by   report
  defined in  shop/report.sql:3
Did you mean 'orders'?"""

THREE = """\
These assets depend on one another in a circle.
  a  reads b  shop/a.sql:1
  b  reads c  shop/b.sql:1
  c  reads a  shop/c.sql:1
Break one of these reads, or declare the earlier table as a source."""

ONE = """\
These assets depend on one another in a circle.
  x  reads x  shop/x.sql:1
Break one of these reads, or declare the earlier table as a source."""


def test_an_unknown_input_names_the_nearest_and_the_place():
    _, errors = inferred(asset("orders"), asset("report", "order"))

    assert [str(error) for error in errors] == [UNKNOWN]


def test_every_circle_is_told_with_its_places():
    _, errors = inferred(
        asset("a", "b"), asset("b", "c"), asset("c", "a"), asset("x", "x"), asset("behind", "a")
    )

    assert [str(error) for error in errors] == [THREE, ONE]


def test_all_errors_of_a_project_come_together():
    _, errors = inferred(asset("a", "nothing"), asset("b", "b"), asset("c", "nobody"))

    assert [error.code for error in errors] == ["unknown_input", "unknown_input", "circle"]
