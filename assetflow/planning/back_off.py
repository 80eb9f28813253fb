"""When a root that gave nothing new is asked again: later each time, but in time. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias

from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.names import AssetName
from assetflow.planning.overdue import becomes_overdue

FIRST = timedelta(minutes=1)
LONGEST = timedelta(hours=1)
SHARE = 0.05
"""The share of the tightest bound for which a root may rest: so much later news is heard."""
_MOST_DOUBLINGS = 16

Ways: TypeAlias = Mapping[FreshnessPolicy, float]
"""The policies that need a root, each with how long what it is made into usually takes."""
_NONE: Ways = MappingProxyType({})


def rests_until(
    asks: Iterable[tuple[datetime, datetime | None]], ways: Ways = _NONE
) -> datetime | None:
    """Return until when what was asked rests; None if it last gave something new.

    `asks` are (when, data time that it gave), the oldest first.
    """
    newest: datetime | None = None
    last, fruitless = None, 0
    for asked_at, given in asks:
        is_new = given is not None and (newest is None or given > newest)
        newest, fruitless = (given, 0) if is_new else (newest, fruitless + 1)
        last = asked_at
    return None if last is None else rest_after(fruitless, last, newest, ways)


def rest_after(
    fruitless: int, last: datetime, newest: datetime | None = None, ways: Ways = _NONE
) -> datetime | None:
    """Return until when it rests that gave nothing new `fruitless` times, at last at `last`.

    That is a minute after the first time, twice as long after each next. At most it is a
    share of the tightest bound of `ways`, and half of what is left until a run has to begin
    that brings data newer than `newest` in time, or of what has passed since then: data
    that comes late is heard when it can still be in time, or little later.

    >>> rest_after(3, datetime(2026, 1, 5, 12))
    datetime.datetime(2026, 1, 5, 12, 4)
    """
    if not fruitless:
        return None
    doublings: int = 2 ** min(fruitless - 1, _MOST_DOUBLINGS)
    limits = [FIRST * doublings, LONGEST, *(longest_rest(one) for one in ways)]
    if newest is not None:
        limits += [abs(due_to_begin(newest, *way) - last) / 2 for way in ways.items()]
    return last + max(min(limits), FIRST)


def longest_rest(policy: FreshnessPolicy) -> timedelta:
    """Return for how long a root may rest that `policy` needs: a share of its tightest bound."""
    return timedelta(seconds=policy.bound_seconds * SHARE)


def due_to_begin(newest: datetime, policy: FreshnessPolicy, seconds: float) -> datetime:
    """Return when to begin what takes `seconds`, for data of `newest` not to become overdue."""
    return becomes_overdue(policy, newest) - timedelta(seconds=seconds)


def ways_down(
    upstreams: Mapping[AssetName, tuple[AssetName, ...]],
    policies: Mapping[AssetName, FreshnessPolicy],
    seconds: Mapping[AssetName, float],
) -> dict[AssetName, dict[FreshnessPolicy, float]]:
    """Return for each asset and source the policies that need it, its own included.

    Each is with the longest way to an asset that has it: its steps with their `seconds`
    (the p90 of their past, say), from the first on. `upstreams` has the assets, upstream
    first.
    """
    found: dict[AssetName, dict[FreshnessPolicy, float]] = {}
    for name in reversed(tuple(upstreams)):
        below = {policies[name]: 0.0} if name in policies else {}
        below = {**below, **found.get(name, {})}
        if below:
            found[name] = {one: way + seconds.get(name, 0.0) for one, way in below.items()}
        for upstream in upstreams[name] if below else ():
            above = found.setdefault(upstream, {})
            above.update((one, max(way, above.get(one, 0.0))) for one, way in found[name].items())
    return found
