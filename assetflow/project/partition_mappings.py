"""How the partitions of each asset map to those of its inputs, and what is wrong with that."""

from collections.abc import Iterator, Mapping

from assetflow.errors import (
    AssetflowError,
    BadMapping,
    MappingNotInferred,
    TwoMappings,
    UnknownMappedInput,
)
from assetflow.graph.graph import AssetGraph, Link
from assetflow.graph.mapping import Edge, resolve
from assetflow.graph.mapping import Mapping as PartitionMapping
from assetflow.model.asset import Asset, Location
from assetflow.model.mappings import DeclaredMapping, find_mapping_problem
from assetflow.model.names import AssetName, folded


def resolve_all(
    graph: AssetGraph, problems: list[AssetflowError]
) -> dict[tuple[AssetName, str], PartitionMapping]:
    """Return the mapping of each input in `graph`; what cannot be said goes to `problems`."""
    found = dict[tuple[AssetName, str], PartitionMapping]()
    for name, links in graph.links.items():
        asset = graph.assets[name]
        problems.extend(_unknown_inputs(asset, links))
        said = {folded(key): mapping for key, mapping in asset.options.mappings.items()}
        for link in links:
            problems.extend(_declared_twice(asset, link, said))
            try:
                declared = link.input.mapping or said.get(folded(link.input.name))
                found[name, link.input.name] = _resolved(graph, asset, link, declared)
            except (BadMapping, MappingNotInferred) as error:
                problems.append(error)
    return found


def _resolved(
    graph: AssetGraph, asset: Asset, link: Link, declared: DeclaredMapping | None
) -> PartitionMapping:
    place = Location(asset.location.path, link.input.line)
    problem = find_mapping_problem(declared) if declared else None
    if problem:
        raise BadMapping(link.input.name, asset.name, declared, problem, place)
    source, upstream = graph.sources.get(link.upstream), graph.assets.get(link.upstream)
    above = upstream.options.partitions if upstream else source.partitions if source else None
    return resolve(
        declared,
        asset.options.partitions,
        above,
        has_event_time=source is not None and bool(source.event_time),
        edge=Edge(asset.name, link.upstream, str(place)),
    )


def _unknown_inputs(asset: Asset, links: tuple[Link, ...]) -> Iterator[AssetflowError]:
    names = {folded(link.input.name): link.input.name for link in links}
    for name in asset.options.mappings:
        if folded(name) not in names:
            yield UnknownMappedInput(name, asset.name, names.values(), asset.location)


def _declared_twice(
    asset: Asset, link: Link, said: Mapping[str, DeclaredMapping]
) -> Iterator[AssetflowError]:
    if link.input.mapping and folded(link.input.name) in said:
        yield TwoMappings(link.input.name, asset.name, asset.location)
