"""Which partitions of which assets were asked for, and what these are made from."""

from collections.abc import Collection, Mapping

from assetflow.errors import UnknownPartition
from assetflow.model.names import AssetName, AssetPartition, PartitionKey
from assetflow.planning.reach import Slices
from assetflow.planning.steps import PartitionRange, Request

Wanted = Mapping[AssetName, Collection[PartitionKey]]
"""The partitions to look at, of the assets to look at."""


def wanted_partitions(
    slices: Slices, request: Request
) -> dict[AssetName, Collection[PartitionKey]]:
    """Return what `request` is about: the targets, what they are made from, what follows.

    Where partitions are named, an asset that has some of them is asked for these; one
    that has none (a monthly mart, say, for a day) for those that are made from these
    partitions of others, be they selected or not. What is only upstream is wanted as far
    as it is read. Where partitions are named, that is what cannot be left out: an asset
    without partitions then reads those that there are, and makes no others.
    """
    if request.exactly is not None:
        return _grouped(request.exactly)
    if request.overdue is not None:
        return {name: one.keys for name, one in request.overdue.items()}
    scope = _scope(slices, request)
    if not request.partitions and not request.latest:
        if request.targets is None or request.only:
            return {name: slices.keys[name] for name in scope}
        asked_whole = {
            name: slices.keys[name] for name in targets_of(slices, request) if name in scope
        }
        return _with_upstreams(slices, asked_whole, only_blocking=False)
    asked: dict[AssetName, Collection[PartitionKey]] = {
        name: _named(slices, request, name) for name in slices.graph.sources
    }
    for name in slices.graph.assets:
        if name in scope:
            asked[name] = _asked_of(slices, request, name, asked)
    targets = targets_of(slices, request)
    wanted = {name: keys for name, keys in asked.items() if name in targets}
    return wanted if request.only else _with_upstreams(slices, wanted, only_blocking=True)


def _grouped(targets: Collection[AssetPartition]) -> dict[AssetName, Collection[PartitionKey]]:
    found: dict[AssetName, set[PartitionKey]] = {}
    for name, key in targets:
        found.setdefault(name, set()).add(key)
    return dict(found)


def _scope(slices: Slices, request: Request) -> Collection[AssetName]:
    """Return the assets to look at, whatever the partition."""
    graph = slices.graph
    if request.targets is None:
        return graph.assets.keys()
    targets = targets_of(slices, request)
    return (targets | graph.all_needed(targets)) & graph.assets.keys()


def targets_of(slices: Slices, request: Request) -> set[AssetName]:
    """Return what `request` selects, with what follows from it where that is asked for."""
    graph = slices.graph
    if request.targets is None:
        return set(graph.assets)
    below = graph.all_downstream(request.targets) if request.downstream else ()
    return {*request.targets, *below}


def _asked_of(
    slices: Slices,
    request: Request,
    name: AssetName,
    before: Wanted,
) -> Collection[PartitionKey]:
    if not _is_cut(slices, name):
        is_named = request.targets is not None and name in request.targets
        keys = slices.keys[name]
        return keys if is_named or slices.readers(name, before) else ()
    return _named(slices, request, name) or slices.readers(
        name, {other: found for other, found in before.items() if _is_cut(slices, other)}
    )


def _named(slices: Slices, request: Request, name: AssetName) -> Collection[PartitionKey]:
    """Return the partitions of `name` that the request names, if it has some of them."""
    if not _is_cut(slices, name):
        return ()
    if request.latest:
        return tuple(slices.keys[name])[-1:]
    return {key for one in request.partitions for key in keys_in(slices, name, one)}


def _is_cut(slices: Slices, name: AssetName) -> bool:
    return slices.keys[name].partitions is not None


def keys_in(slices: Slices, name: AssetName, asked: PartitionRange) -> tuple[PartitionKey, ...]:
    """Return the partitions of `name` from the first to the last of `asked`, both included.

    None, where its partitions are of another kind.
    """
    try:
        return slices.keys[name].between(asked.first, asked.last)
    except UnknownPartition:
        return ()


def _with_upstreams(
    slices: Slices, wanted: Wanted, *, only_blocking: bool
) -> dict[AssetName, Collection[PartitionKey]]:
    """Return `wanted`, what it reads, and what its checks read.

    `only_blocking`: only what cannot be left out. Of others with partitions that checks
    read, those that there are will do.
    """
    found: dict[AssetName, set[PartitionKey]] = {name: set(keys) for name, keys in wanted.items()}
    for name in reversed(tuple(slices.graph.assets)):
        needed = slices.reads(name, found.get(name, ()), only_blocking=only_blocking)
        if found.get(name):
            for other in slices.graph.audits.get(name, ()):
                if not (only_blocking and _is_cut(slices, other)):
                    needed.setdefault(other, set()).update(slices.keys[other])
        for upstream, keys in needed.items():
            if upstream in slices.graph.assets and keys:
                found.setdefault(upstream, set()).update(keys)
    return dict(found)
