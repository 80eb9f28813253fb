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

    Sources can be selected like assets. What is upstream stands first.

    Examples:
      assetflow ls                    everything
      assetflow ls group:marts        one group
      assetflow ls kind:source        the sources
      assetflow ls +revenue --json    what revenue is made from, for a script
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import assets_json
    from assetflow.report.listings import assets_table

    found = opened(project, environment)
    chosen = api.selected(found, select or (), exclude or (), with_sources=True)
    return Answer(
        listed(found.graph, chosen),
        lambda names: assets_json(found.graph, names),
        lambda names: assets_table(found.graph, names),
    )


def listed(graph: AssetGraph, selected: Collection[AssetName] | None) -> tuple[AssetName, ...]:
    """Return the names to list, in the order of the graph; None is everything, sources too."""
    sources = sorted(name for name, source in graph.sources.items() if not source.is_inline)
    names = (*sources, *graph.assets)
    return tuple(name for name in names if selected is None or name in selected)


command = as_command(ls)
