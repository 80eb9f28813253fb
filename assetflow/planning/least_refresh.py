"""The least that brings overdue data back: which assets to make again, and for whom. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.names import AssetName
from assetflow.planning.attainable import Ages, attainable, bottleneck
from assetflow.planning.data_time import DataTime
from assetflow.planning.overdue import Bottleneck, becomes_overdue, needed_data_time
from assetflow.planning.reasons import Overdue

_NEVER_MADE = datetime.min.replace(tzinfo=UTC)
_AGELESS = datetime.max.replace(tzinfo=UTC)


MOST_REASONS = 5
"""So many of the policies that need an asset are named; thousands may need one upstream."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """One asset to make again, and why: the policies that need it, the most urgent first."""

    asset: AssetName
    reasons: tuple[Overdue, ...]


@dataclass(frozen=True, slots=True)
class LeastRefresh:
    """What to make again, upstream first, and what holds back those that no run brings back."""

    refreshes: tuple[Refresh, ...] = ()
    held_back: Mapping[AssetName, Bottleneck | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Want:
    """A policy that wants its asset to be of `need` or newer."""

    asset: AssetName
    need: datetime
    due_at: datetime
    is_to_come: bool


def _urgency(want: _Want) -> tuple[datetime, AssetName]:
    return want.due_at, want.asset


def usual_durations(
    upstreams: Mapping[AssetName, tuple[AssetName, ...]], seconds: Mapping[AssetName, float]
) -> dict[AssetName, float]:
    """Return how long it takes to make each asset with all that it is made from.

    That is the longest path to it, each step for its `seconds`: the p90 of its past, say.
    `upstreams` has the assets, upstream first.
    """
    found: dict[AssetName, float] = {}
    for name, above in upstreams.items():
        before = max((found.get(one, 0.0) for one in above), default=0.0)
        found[name] = before + seconds.get(name, 0.0)
    return found


def cannot_be_met(
    policies: Mapping[AssetName, FreshnessPolicy], usual: Mapping[AssetName, float]
) -> Iterator[tuple[AssetName, float, float]]:
    """Yield each asset whose bound is below the usual duration of making it, and both."""
    for name, policy in policies.items():
        if policy.bound_seconds < usual.get(name, 0.0):
            yield name, policy.bound_seconds, usual[name]


def least_refresh(
    ages: Ages,
    policies: Mapping[AssetName, FreshnessPolicy],
    now: datetime,
    usual: Mapping[AssetName, float],
    within_seconds: float | None = None,
) -> LeastRefresh:
    """Return the least to make again so that none of `policies` is overdue when it is done.

    What is overdue, what was never made and what nobody can tell of is made again; with
    `within_seconds` also what will be overdue by then, or before a run that starts then is
    done, which takes the `usual` seconds; and of what is made then the inputs are so recent,
    if they can be, that it need not be made again before that is done. Each upstream that
    several policies need is made once, and none that is recent enough for all of them.
    """
    wants = sorted(_wants(ages, policies, now, usual, within_seconds), key=_urgency)
    if not wants:
        return LeastRefresh()
    scope = _scope(ages, wants)
    best = attainable(ages, now, scope)
    held_back: dict[AssetName, Bottleneck | None] = {}
    needs: dict[AssetName, datetime] = {}
    asking: dict[AssetName, tuple[int, ...]] = {}
    for rank, want in enumerate(wants):
        name, published = want.asset, ages.published.get(want.asset)
        if _at(best[name]) < want.need:
            held_back[name] = _held_back(ages, best[name], now, want)
        if _helps(policies[name], published, best[name]):
            needs[name] = min(want.need, _at(best[name]))
            asking[name] = (rank,)
    _pass_up(_Walk(ages, scope, best, {} if within_seconds is None else usual), needs, asking)
    named = {rank for ranks in asking.values() for rank in ranks}
    reasons = {rank: _reason(wants[rank], policies) for rank in named}
    refreshes = (
        Refresh(name, tuple(reasons[rank] for rank in asking[name]))
        for name in scope
        if name in needs
    )
    return LeastRefresh(tuple(refreshes), held_back)


def _held_back(ages: Ages, best: DataTime, now: datetime, want: _Want) -> Bottleneck | None:
    published = ages.published.get(want.asset)
    return bottleneck(ages, published, best, now, want.need) if published else None


def _wants(
    ages: Ages,
    policies: Mapping[AssetName, FreshnessPolicy],
    now: datetime,
    usual: Mapping[AssetName, float],
    within_seconds: float | None,
) -> Iterator[_Want]:
    for name, policy in policies.items():
        published = ages.published.get(name)
        if published is not None and not published.is_known:
            published = None
        if name not in ages.upstreams or (published is not None and published.at is None):
            continue
        done = now + timedelta(seconds=usual.get(name, 0.0) + (within_seconds or 0.0))
        due_at = None if published is None else _due(policy, published)
        until = now if within_seconds is None else done
        if due_at is not None and until <= due_at:
            continue
        need, is_to_come = needed_data_time(policy, done), due_at is not None and now <= due_at
        yield _Want(name, need, due_at or _NEVER_MADE, is_to_come)


def _reason(want: _Want, policies: Mapping[AssetName, FreshnessPolicy]) -> Overdue:
    due_at = f"{want.due_at:%Y-%m-%d %H:%M} UTC" if want.is_to_come else ""
    return Overdue(want.asset, str(policies[want.asset]), due_at)


def _due(policy: FreshnessPolicy, data: DataTime) -> datetime:
    assert data.at is not None
    return becomes_overdue(policy, data.at)


def _scope(ages: Ages, wants: list[_Want]) -> list[AssetName]:
    """Return the assets of `wants` and all that they are made from, upstream first."""
    waiting, found = [want.asset for want in wants], set[AssetName]()
    while waiting:
        name = waiting.pop()
        if name in ages.upstreams and name not in found:
            found.add(name)
            waiting += ages.upstreams[name]
    return [name for name in ages.upstreams if name in found]


def _helps(policy: FreshnessPolicy, published: DataTime | None, best: DataTime) -> bool:
    """Whether the `best` that a run can give becomes overdue later than what is published."""
    if published is None:
        return True
    if not published.is_known or best.at is None:
        return best.is_known
    return _due(policy, best) > _due(policy, published)


@dataclass(frozen=True, slots=True)
class _Walk:
    """What is walked over, upstream first, and how recent it can be at `best`.

    Where there are `usual` durations, what is made has to last as long as its own step.
    """

    ages: Ages
    scope: list[AssetName]
    best: Mapping[AssetName, DataTime]
    usual: Mapping[AssetName, float]

    def aim(self, name: AssetName, need: datetime) -> datetime:
        """Return how recent the inputs of an asset have to be that is made for `need`."""
        if name not in self.usual:
            return need
        before = (self.usual.get(one, 0.0) for one in self.ages.upstreams[name])
        own = self.usual[name] - max(before, default=0.0)
        return max(need, min(need + timedelta(seconds=own), _at(self.best[name])))


def _pass_up(
    walk: _Walk, needs: dict[AssetName, datetime], asking: dict[AssetName, tuple[int, ...]]
) -> None:
    """Add to `needs` the upstreams that are older than what is made from them, and who asks."""
    ages = walk.ages
    for name in reversed(walk.scope):
        if name not in needs:
            continue
        need = walk.aim(name, needs[name])
        for upstream in ages.upstreams[name]:
            if upstream in ages.upstreams and _is_older(ages, upstream, need):
                needs[upstream] = max(needs.get(upstream, need), need)
                asking[upstream] = _first_of(asking.get(upstream), asking[name])


def _first_of(one: tuple[int, ...] | None, other: tuple[int, ...]) -> tuple[int, ...]:
    if one is None or one == other:
        return other
    return tuple(sorted({*one, *other})[:MOST_REASONS])


def _is_older(ages: Ages, name: AssetName, need: datetime) -> bool:
    """Whether an asset was never made, or is older than `need`."""
    published = ages.published.get(name)
    return published is None or _at(published) < need


def _at(data: DataTime) -> datetime:
    """Return a data time as it is compared: what nobody can tell is older than any other."""
    if not data.is_known:
        return _NEVER_MADE
    return _AGELESS if data.at is None else data.at
