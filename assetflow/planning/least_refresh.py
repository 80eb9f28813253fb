"""The least that brings overdue data back: which assets to run again, and for whom. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.names import AssetName
from assetflow.planning.data_time import DataTime
from assetflow.planning.overdue import Bottleneck
from assetflow.planning.reasons import Overdue


@dataclass(frozen=True, slots=True)
class Ages:
    """How old everything is, and how new it could be made.

    `upstreams` has each asset, upstream first, with what it is made from directly; what
    else it names are sources. `published` is how recent what is published is, without
    what was never made; `seen` is of sources, as they are now. `seconds` is how long a
    step usually takes, at most (p90). `resting` are volatile assets and sources that gave
    nothing new, until when they are not asked again.
    """

    upstreams: Mapping[AssetName, tuple[AssetName, ...]]
    published: Mapping[AssetName, DataTime]
    seen: Mapping[AssetName, DataTime]
    volatile: frozenset[AssetName] = frozenset()
    seconds: Mapping[AssetName, float] = field(default_factory=dict)
    resting: Mapping[AssetName, datetime] = field(default_factory=dict)
    owners: Mapping[AssetName, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refresh:
    """One asset to make again, and the policies that need it, in the order of their names."""

    asset: AssetName
    reasons: tuple[Overdue, ...]


@dataclass(frozen=True, slots=True)
class LeastRefresh:
    """What to make again, upstream first, and what holds back those that no run brings back."""

    refreshes: tuple[Refresh, ...]
    held_back: Mapping[AssetName, Bottleneck]


def least_refresh(
    ages: Ages,
    policies: Mapping[AssetName, FreshnessPolicy],
    now: datetime,
    within_seconds: float = 0.0,
) -> LeastRefresh:
    """Return the least to make again so that none of `policies` is overdue when it is done.

    With `within_seconds` what becomes overdue by then counts, too, and what will before a
    run that begins then is done. Each upstream that several need is made once.
    """
    raise NotImplementedError
