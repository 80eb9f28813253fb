"""Circles that checks close: one reads what is made from its asset, or they wait in turn."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from assetflow.errors import AssetflowError, CheckInCircle, ChecksInCircle
from assetflow.model.asset import Asset
from assetflow.model.checks import Check
from assetflow.model.names import AssetName

Upstreams = Mapping[AssetName, tuple[AssetName, ...]]


def audit_circles(
    circular: AbstractSet[AssetName],
    upstreams: Upstreams,
    assets: Mapping[AssetName, Asset],
    together: Mapping[AssetName, tuple[AssetName, ...]],
) -> Iterator[AssetflowError]:
    """Yield an error for each check that waits in vain; `circular` are in or behind a circle.

    Without their checks, none of them are: `upstreams` have no circle. Assets that are made
    `together` wait together for others, and are asked one after the other.
    """
    own = {
        (name, AssetName(item.upstream)): check
        for name in sorted(circular)
        for check in assets[name].options.checks
        for item in check.inputs
        if item.upstream in circular and item.upstream != name
    }
    found = False
    for (name, other), check in own.items():
        mates = () if other in together[name] else together[name]
        paths = (_path(mate, other, upstreams) for mate in mates)
        path = next(filter(None, paths), ())
        if path:
            found = True
            yield CheckInCircle(check.name, name, other, path, check.location)
    if circular and not found:
        yield _in_turn(circular, upstreams, assets, _of_all(own, together))


def _of_all(
    checks: Mapping[tuple[AssetName, AssetName], Check],
    together: Mapping[AssetName, tuple[AssetName, ...]],
) -> dict[tuple[AssetName, AssetName], Check]:
    """Return the checks by all that wait for them."""
    return {
        (mate, other): check
        for (name, other), check in checks.items()
        for mate in ((name,) if other in together[name] else together[name])
    }


def _path(start: AssetName, end: AssetName, upstreams: Upstreams) -> tuple[AssetName, ...]:
    """Return how `end` is made from `start`, both included; () where it is not."""
    paths: dict[AssetName, tuple[AssetName, ...]] = {end: (end,)}
    waiting = [end]
    while waiting:
        name = waiting.pop()
        if name == start:
            return paths[name]
        for upstream in upstreams.get(name, ()):
            if upstream not in paths:
                paths[upstream] = (upstream, *paths[name])
                waiting.append(upstream)
    return ()


def _in_turn(
    circular: AbstractSet[AssetName],
    upstreams: Upstreams,
    assets: Mapping[AssetName, Asset],
    checks: Mapping[tuple[AssetName, AssetName], Check],
) -> ChecksInCircle:
    """Return the error of checks that wait for one another, each for the next."""
    waits = {
        name: [
            *(other for other in upstreams.get(name, ()) if other in circular),
            *(other for first, other in checks if first == name),
        ]
        for name in circular
    }
    path = [min(circular)]
    while (following := _next(path[-1], waits)) not in path:
        path.append(following)
    circle = path[path.index(following) :]
    return ChecksInCircle(
        (name, *_waiting(name, other, assets, checks))
        for name, other in zip(circle, (*circle[1:], circle[0]), strict=True)
    )


def _next(name: AssetName, waits: Mapping[AssetName, list[AssetName]]) -> AssetName:
    """Return what `name` waits for: each asset in or behind a circle waits for one of them."""
    return waits[name][0]


def _waiting(
    name: AssetName,
    other: AssetName,
    assets: Mapping[AssetName, Asset],
    checks: Mapping[tuple[AssetName, AssetName], Check],
) -> tuple[str, str]:
    """Return in words why `name` waits for `other`, and where that is declared."""
    check = checks.get((name, other))
    if check is None:
        return f"reads {other}", str(assets[name].location)
    return f"reads {other} in its check '{check.name}'", str(check.location)
