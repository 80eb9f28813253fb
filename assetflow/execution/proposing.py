"""Propose checks for an asset, from what is published of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetflow.errors import NotATable, NothingAsOf, SourceNotChecked
from assetflow.execution.serving import scan_of
from assetflow.metadata.outline import served
from assetflow.model.columns import united
from assetflow.model.names import AssetName
from assetflow.planning.check_pages import ProposalsPage
from assetflow.quality.figures import SCAN
from assetflow.quality.suggestions import profile_measures, suggested, undeclared

if TYPE_CHECKING:
    from assetflow.execution.gathering import Place
    from assetflow.graph.graph import AssetGraph
    from assetflow.warehouse.connection import Engine


def proposals(place: Place, graph: AssetGraph, engine: Engine, name: AssetName) -> ProposalsPage:
    """Return the checks that all published partitions of an asset pass together.

    What it declares already is only counted.

    Raises NothingAsOf where nothing is published, NotATable of files,
    SourceNotChecked of a source.
    """
    if name in graph.sources:
        raise SourceNotChecked(name, graph.downstreams.get(name, ()))
    parts = served(place.state, place.environment, [name]).get(name, ())
    if not parts:
        raise NothingAsOf(name, None)
    data = place.state / "data"
    if any(part.format != "parquet" for part in parts):
        raise NotATable(name, str(data / parts[-1].path))
    scan, schema = scan_of(data, parts), united(part.schema for part in parts)
    texts = [text.replace(SCAN, scan) for text in profile_measures(schema)]
    cursor = engine.cursor()
    found = cursor.execute(f"select {', '.join(['count(*)', *texts])} from {scan}").fetchone()
    rows, *values = found or (0,)
    asset = graph.assets[name]
    passed = suggested(schema, values, rows)
    proposed = tuple(undeclared(passed, asset.options.checks))
    return ProposalsPage(
        name, proposed, rows, asset.kind == "sql", declared=len(passed) - len(proposed)
    )
