"""Infer the graph from declarations: which asset or source each input is."""

import heapq
from collections.abc import Iterable, Mapping, Sequence

from assetflow.errors import AssetflowError, Circle, UnknownInput
from assetflow.graph.audit_circles import audit_circles
from assetflow.graph.graph import AssetGraph, Link
from assetflow.model.asset import Asset, Source
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.names import AssetName, folded


def infer(
    assets: Iterable[Asset],
    sources: Iterable[Source],
    inputs: Mapping[AssetName, Sequence[Input]],
) -> tuple[AssetGraph, tuple[AssetflowError, ...]]:
    """Return the graph, and what is wrong with it: unknown inputs and circles, all of them.

    `inputs` are those of each asset as its code names them; names are compared without
    case. An input without an upstream, and assets in a circle, are left out of the graph.
    """
    by_name = {asset.name: asset for asset in assets}
    source_names = {source.name: source for source in sources}
    spelled = {folded(name): name for name in (*source_names, *by_name)}
    errors: list[AssetflowError] = []
    links: dict[AssetName, tuple[Link, ...]] = {}
    for asset in by_name.values():
        found = []
        for item in inputs.get(asset.name, ()):
            upstream = spelled.get(folded(item.upstream or item.name))
            if upstream is None:
                errors.append(_unknown(asset, item, spelled.values()))
            else:
                found.append(Link(item, upstream))
        links[asset.name] = tuple(found)
    upstreams = {
        name: tuple(dict.fromkeys(link.upstream for link in links[name])) for name in links
    }
    order, circular = _topological(upstreams, by_name.keys())
    errors.extend(_circles(circular, upstreams, by_name))
    audits = _audits(by_name[name] for name in order)
    if any(audits.values()):
        together = _made_together(by_name[name] for name in order)
        waits = {
            name: (*upstreams[name], *audits[name], *_others(audits, together[name]))
            for name in order
        }
        order, circular = _topological(waits, order)
        errors.extend(audit_circles(circular, upstreams, by_name, together))
    graph = AssetGraph(
        assets={name: by_name[name] for name in order},
        sources=source_names,
        links={name: links[name] for name in order},
        upstreams={name: upstreams[name] for name in order},
        downstreams=_reversed(upstreams, order),
        audits={name: audits[name] for name in order if audits[name]},
    )
    return graph, tuple(errors)


def _audits(assets: Iterable[Asset]) -> dict[AssetName, tuple[AssetName, ...]]:
    """Return what the checks of each asset read beside the asset itself."""
    return {
        asset.name: tuple(
            dict.fromkeys(
                AssetName(item.upstream)
                for check in asset.options.checks
                for item in check.inputs
                if item.upstream not in ("", asset.name)
            )
        )
        for asset in assets
    }


def _made_together(assets: Iterable[Asset]) -> dict[AssetName, tuple[AssetName, ...]]:
    """Return for each asset those that one call of its function makes, itself included."""
    bodies: dict[int, list[AssetName]] = {}
    for asset in assets:
        bodies.setdefault(id(asset.body), []).append(asset.name)
    return {name: tuple(names) for names in bodies.values() for name in names}


def _others(
    audits: Mapping[AssetName, tuple[AssetName, ...]], together: tuple[AssetName, ...]
) -> Iterable[AssetName]:
    """Yield what the checks of assets that are made `together` read beside these."""
    return (other for name in together for other in audits[name] if other not in together)


def _topological(
    upstreams: Mapping[AssetName, tuple[AssetName, ...]], names: Iterable[AssetName]
) -> tuple[list[AssetName], set[AssetName]]:
    """Return `names` upstream first, ties by name, and those in or behind a circle.

    Kahn's algorithm (1962) with a heap for the ties.
    """
    own = set(names)
    waiting = {name: sum(up in own for up in upstreams[name]) for name in own}
    downstream = _reversed({name: upstreams[name] for name in own}, own)
    ready = [name for name, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    order: list[AssetName] = []
    while ready:
        name = heapq.heappop(ready)
        order.append(name)
        for other in downstream.get(name, ()):
            waiting[other] -= 1
            if waiting[other] == 0:
                heapq.heappush(ready, other)
    return order, own.difference(order)


def _reversed(
    upstreams: Mapping[AssetName, tuple[AssetName, ...]], names: Iterable[AssetName]
) -> dict[AssetName, tuple[AssetName, ...]]:
    found: dict[AssetName, list[AssetName]] = {}
    for name in names:
        for upstream in upstreams[name]:
            found.setdefault(upstream, []).append(name)
    return {name: tuple(others) for name, others in found.items()}


def _circles(
    circular: set[AssetName],
    upstreams: Mapping[AssetName, tuple[AssetName, ...]],
    assets: Mapping[AssetName, Asset],
) -> Iterable[AssetflowError]:
    """Yield one error for each circle, following upstreams until one is met again."""
    left = set(circular)
    while left:
        path = [min(left)]
        while (following := _next_in(left, upstreams[path[-1]])) not in path:
            if following is None:
                break
            path.append(following)
        else:
            circle = path[path.index(following) :]
            yield _circle([assets[name] for name in circle])
        left.difference_update(path)


def _next_in(names: set[AssetName], upstreams: tuple[AssetName, ...]) -> AssetName | None:
    return next((name for name in upstreams if name in names), None)


def _unknown(asset: Asset, item: Input, names: Iterable[str]) -> UnknownInput:
    place = Location(asset.location.path, item.line)
    return UnknownInput(item.upstream or item.name, asset.name, str(place), names)


def _circle(members: Sequence[Asset]) -> Circle:
    following = (*members[1:], members[0])
    return Circle(
        (asset.name, other.name, str(asset.location))
        for asset, other in zip(members, following, strict=True)
    )
