"""When a root that gave nothing new is asked again: later each time. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.names import AssetName

FIRST = timedelta(minutes=1)
LONGEST = timedelta(hours=1)
SHARE = 0.05
"""The share of the tightest bound for which a root may rest: so much later news is heard."""
_MOST_DOUBLINGS = 16


def rests_until(
    asks: Iterable[tuple[datetime, datetime | None]], longest: timedelta = LONGEST
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
    return None if last is None else rest_after(fruitless, last, longest)


def rest_after(fruitless: int, last: datetime, longest: timedelta = LONGEST) -> datetime | None:
    """Return until when it rests that gave nothing new `fruitless` times, at last at `last`.

    That is a minute after the first time, twice as long after each next, at most `longest`.

    >>> rest_after(3, datetime(2026, 1, 5, 12))
    datetime.datetime(2026, 1, 5, 12, 4)
    """
    if not fruitless:
        return None
    doublings: int = 2 ** min(fruitless - 1, _MOST_DOUBLINGS)
    return last + min(FIRST * doublings, longest)


def longest_rests(
    upstreams: Mapping[AssetName, tuple[AssetName, ...]],
    policies: Mapping[AssetName, FreshnessPolicy],
) -> dict[AssetName, timedelta]:
    """Return for how long each asset and source may rest that some policy needs.

    That is a share of the tightest bound of what is made from it, at least a minute and at
    most an hour. `upstreams` has the assets, upstream first.
    """
    bounds = {name: policy.bound_seconds for name, policy in policies.items()}
    for name in reversed(tuple(upstreams)):
        if name in bounds:
            for upstream in upstreams[name]:
                bounds[upstream] = min(bounds[name], bounds.get(upstream, bounds[name]))
    rests = {name: timedelta(seconds=bound * SHARE) for name, bound in bounds.items()}
    return {name: min(max(rest, FIRST), LONGEST) for name, rest in rests.items()}
