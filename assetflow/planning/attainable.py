"""How new data could be made by running now, and what keeps it from being newer. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from assetflow.model.names import AssetName
from assetflow.planning.data_time import DataTime, oldest, recency
from assetflow.planning.overdue import Bottleneck
from assetflow.planning.reasons import listed


@dataclass(frozen=True, slots=True)
class Ages:
    """How old everything is, and how new its roots are.

    `upstreams` has each asset, upstream first, with what it is made from directly; what
    else it names are sources. `published` is how recent what is published is; what was
    never made is not in it. `seen` is of sources as they are now. `volatile` assets can be
    run again at any time; `resting` are those that gave nothing new, until when they are
    not asked again, and sources of which this is so. `answering` are sources that are no files.
    """

    upstreams: Mapping[AssetName, tuple[AssetName, ...]]
    published: Mapping[AssetName, DataTime]
    seen: Mapping[AssetName, DataTime]
    volatile: frozenset[AssetName] = frozenset()
    resting: Mapping[AssetName, datetime] = field(default_factory=dict)
    answering: frozenset[AssetName] = frozenset()
    owners: Mapping[AssetName, tuple[str, ...]] = field(default_factory=dict)


def attainable(
    ages: Ages, now: datetime, names: Iterable[AssetName] | None = None
) -> dict[AssetName, DataTime]:
    """Return how recent each asset and source would be if all it is made from ran now.

    With `names` only these, which must come with all that they are made from, upstream
    first. Data that nobody can tell the age of counts as older than any other.
    """
    found: dict[AssetName, DataTime] = {}
    for name in ages.upstreams if names is None else names:
        for source in ages.upstreams[name]:
            if source not in ages.upstreams and source not in found:
                found[source] = ages.seen.get(source) or DataTime(source, None, is_known=False)
        found[name] = _attainable(ages, name, now, found)
    return found


def _attainable(
    ages: Ages, name: AssetName, now: datetime, found: Mapping[AssetName, DataTime]
) -> DataTime:
    inputs = [found[upstream] for upstream in ages.upstreams[name]]
    limit = oldest(inputs)
    if name in ages.volatile:
        own = _of_volatile(ages, name, now)
        limit = own if limit is None else oldest([own, limit])
    if limit is None or limit.name == name:
        return limit or DataTime(name, None)
    return DataTime(name, limit.at, limit.is_known, limit)


def _of_volatile(ages: Ages, name: AssetName, now: datetime) -> DataTime:
    published = ages.published.get(name)
    if published is not None and ages.resting.get(name, now) > now:
        return DataTime(name, published.at, published.is_known)
    return DataTime(name, now)


def bottlenecks(ages: Ages, now: datetime) -> dict[AssetName, Bottleneck]:
    """Return what holds back each asset that is published and ages."""
    best = attainable(ages, now)
    return {
        name: bottleneck(ages, published, best[name], now)
        for name, published in ages.published.items()
        if name in best and (published.at is not None or not published.is_known)
    }


def bottleneck(
    ages: Ages,
    published: DataTime,
    best: DataTime,
    now: datetime,
    need: datetime | None = None,
) -> Bottleneck:
    """Return what holds back an asset that is `published`, and could be the `best`.

    Where a run would make it newer that is the root of what is published, else the root
    that would hold it back then, too. A volatile root that was run since, and is of `need`
    or newer, needs no run: what was made from it before that holds back.
    """
    helps = recency(best) > recency(published)
    held = published if helps else best
    if not helps and not held.is_known:
        return Bottleneck(held.path, helps, f"there is no telling how old {held.root!r} is")
    behind = _first_behind(ages, held, best, need) if helps else None
    if behind is not None:
        text = f"{behind!r} was not made again since {held.root!r} has newer data"
        return Bottleneck(held.path, helps, f"{text}: running will help", behind)
    return Bottleneck(held.path, helps, _text(ages, held.root, now, helps=helps))


def _first_behind(
    ages: Ages, held: DataTime, best: DataTime, need: datetime | None
) -> AssetName | None:
    """Return the first below a volatile root that was not made of what the root has now.

    None where the root itself has to run again.
    """
    root = ages.published.get(held.root)
    if held.root not in ages.volatile or root is None or recency(root) <= recency(held):
        return None
    is_enough = need is None or root.at is None or root.at >= need
    if not is_enough and recency(root) < recency(best):
        return None
    older = (
        name
        for name in held.path[1:]
        if name in ages.published and recency(ages.published[name]) <= recency(held)
    )
    return next(older, held.name)


def _text(ages: Ages, root: AssetName, now: datetime, *, helps: bool) -> str:
    if root in ages.volatile:
        until = ages.resting.get(root, now)
        if until <= now:
            return f"{root!r} can be run again"
        return f"{root!r} gave nothing new: it is asked again at {until:%Y-%m-%d %H:%M} UTC"
    if helps:
        return f"{root!r} has newer data: running will help"
    what = "answer" if root in ages.answering else "file"
    until = ages.resting.get(root, now)
    again = "" if until <= now else f"; it is asked again at {until:%Y-%m-%d %H:%M} UTC"
    return f"{root!r} has no newer {what}: running will not help{again}{_owners(ages, root)}"


def _owners(ages: Ages, root: AssetName) -> str:
    owners = ages.owners.get(root, ())
    if not owners:
        return ""
    return f"; its {'owner is' if len(owners) == 1 else 'owners are'} {listed(owners)}"
