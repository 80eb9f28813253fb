"""How the partitions of each asset map to those of its inputs, and what is wrong with that."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from assetflow.errors import (
    AssetflowError,
    BadMapping,
    MappingNotInferred,
    TwoMappings,
    UnknownMappedInput,
)
from assetflow.graph.graph import AssetGraph, Link
from assetflow.graph.mapping import WHOLE_TO_WHOLE, Edge, PartitionMapping, Slice, resolve
from assetflow.model.asset import Asset
from assetflow.model.declared_inputs import Location
from assetflow.model.mappings import DeclaredMapping, find_mapping_problem
from assetflow.model.names import AssetName, folded


def resolve_all(
    graph: AssetGraph, problems: list[AssetflowError], timezone: str = "UTC"
) -> dict[tuple[AssetName, str], PartitionMapping]:
    """Return the mapping of each input in `graph`; what cannot be said goes to `problems`.

    `timezone` is that of event times that have none, and none declared.
    """
    found = dict[tuple[AssetName, str], PartitionMapping]()
    whole = _whole(graph)
    for name, links in graph.links.items():
        asset = graph.assets[name]
        if name in whole and not asset.options.mappings and _read_only(whole, links):
            found.update(((name, link.input.name), WHOLE_TO_WHOLE) for link in links)
            continue
        problems.extend(_unknown_inputs(asset, links))
        said = {folded(key): mapping for key, mapping in asset.options.mappings.items()}
        for link in links:
            problems.extend(_declared_twice(asset, link, said))
            try:
                declared = link.input.mapping or said.get(folded(link.input.name))
                cut = _cut(graph, link, timezone)
                found[name, link.input.name] = _resolved(graph, asset, link, declared, cut)
            except (BadMapping, MappingNotInferred) as error:
                problems.append(error)
    return found


def _whole(graph: AssetGraph) -> set[AssetName]:
    """Return all that has no partitions: where it reads nothing else there is nothing to say."""
    assets, sources = graph.assets.values(), graph.sources.values()
    found = {asset.name for asset in assets if asset.options.partitions is None}
    return found | {source.name for source in sources if source.partitions is None}


def _read_only(whole: Collection[AssetName], links: Iterable[Link]) -> bool:
    return all(link.upstream in whole and link.input.mapping is None for link in links)


def _resolved(
    graph: AssetGraph,
    asset: Asset,
    link: Link,
    declared: DeclaredMapping | None,
    cut: Slice | None,
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
        cut=cut,
        edge=Edge(asset.name, link.upstream, str(place)),
    )


def _cut(graph: AssetGraph, link: Link, timezone: str) -> Slice | None:
    """Return how an input is cut by its event time; None where it has none, or is no table."""
    source, upstream = graph.sources.get(link.upstream), graph.assets.get(link.upstream)
    said = source or (upstream.options if upstream else None)
    if said is None or not said.event_time or link.input.form in ("path", "value"):
        return None
    return Slice(said.event_time, said.timezone or timezone)


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
