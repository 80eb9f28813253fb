"""`assetflow ls`: what is declared."""

from collections.abc import Collection

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import (
    MAIN,
    Environment,
    Exclude,
    Json,
    ProjectFolder,
    Select,
)
from assetflow.graph.graph import AssetGraph
from assetflow.model.names import AssetName


def ls(
    select: Select = None,
    *,
    exclude: Exclude = None,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[tuple[AssetName, ...]]:
    """List the assets and sources that the project declares.

    A selection lists assets alone. What is upstream stands first.

    Examples:
      assetflow ls                    everything
      assetflow ls group:marts        one group
      assetflow ls +revenue --json    what revenue is made from, for a script
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import assets_json
    from assetflow.report.listings import assets_table

    found = opened(project, environment)
    return Answer(
        listed(found.graph, api.selected(found, select or (), exclude or ())),
        lambda chosen: assets_json(found.graph, chosen),
        lambda chosen: assets_table(found.graph, chosen),
    )


def listed(graph: AssetGraph, selected: Collection[AssetName] | None) -> tuple[AssetName, ...]:
    """Return the names to list, in the order of the graph; None is everything, sources too."""
    if selected is not None:
        return tuple(name for name in graph.assets if name in selected)
    sources = [name for name, source in graph.sources.items() if not source.is_inline]
    return (*sorted(sources), *graph.assets)


command = as_command(ls)
