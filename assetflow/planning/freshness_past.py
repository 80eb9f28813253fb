"""How old data was over time, and how often it was fresh. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from assetflow.model.freshness import StatedPolicy
from assetflow.model.names import AssetName, PartitionKey, VersionId
from assetflow.model.partitions import KeySet
from assetflow.planning.data_time import AdvancingDerivation, AgeHistory, Derivation
from assetflow.planning.freshness_pages import AgePoint, FreshnessHistory
from assetflow.planning.newest_partitions import counting_keys
from assetflow.planning.overdue import becomes_overdue

MOST_POINTS = 20_000
"""So many instants are looked at; of more, some evenly among them."""


@dataclass(frozen=True, slots=True)
class PointerMove:
    """From `at` on a partition of an asset or source showed `version`; None: it was withdrawn."""

    at: datetime
    partition: PartitionKey
    version: VersionId | None


@dataclass(frozen=True, slots=True)
class PastOfAsset:
    """What the ages of one asset or source follow from: its `moves` in their order, and its keys.

    A source moves when it is seen in another state.
    """

    asset: AssetName
    keys: KeySet
    moves: Sequence[PointerMove]
    history: AgeHistory = field(default_factory=AgeHistory)


def age_points(past: PastOfAsset, start: datetime, end: datetime) -> tuple[AgePoint, ...]:
    """Return how recent an asset was from `start` to `end`: a point wherever that changed."""
    times = {start, *(move.at for move in past.moves)}
    times.update(making.published_at for making in past.history.makings)
    chosen = _evenly(sorted(at for at in times if start <= at <= end), MOST_POINTS)
    return tuple(_changes(list(_points(past, chosen))))


def points_at(
    past: PastOfAsset,
    instants: Sequence[datetime],
    derivations: MutableMapping[datetime, Derivation],
) -> Iterator[AgePoint]:
    """Yield how recent an asset was at each of `instants`, which ascend.

    `derivations` of the same history are shared by assets that are asked about one another.
    """
    for at, versions in _shown(past, instants):
        if at not in derivations:
            derivations[at] = Derivation(past.history, at, at)
        yield _point(past, at, versions, derivations[at])


def _points(past: PastOfAsset, instants: Sequence[datetime]) -> Iterator[AgePoint]:
    """Yield how recent one asset was at each of many `instants`, which ascend."""
    derivation = AdvancingDerivation(past.history)
    for at, versions in _shown(past, instants):
        derivation.advance(at)
        yield _point(past, at, versions, derivation)


def _point(
    past: PastOfAsset, at: datetime, versions: Sequence[VersionId], derivation: Derivation
) -> AgePoint:
    found = derivation.of_versions(past.asset, versions)
    return AgePoint(at, found.at, is_ageless=found.at is None and found.is_known)


def _shown(
    past: PastOfAsset, instants: Sequence[datetime]
) -> Iterator[tuple[datetime, tuple[VersionId, ...]]]:
    """Yield the versions that counted for the age of an asset at each of `instants`."""
    shown: dict[PartitionKey, VersionId] = {}
    waiting = list(reversed(past.moves))
    for at in instants:
        while waiting and waiting[-1].at <= at:
            _apply(shown, waiting.pop())
        keys = counting_keys(past.keys, shown, at) if shown else ()
        yield at, tuple(dict.fromkeys(shown[key] for key in keys))


def _apply(shown: dict[PartitionKey, VersionId], move: PointerMove) -> None:
    if move.version is None:
        shown.pop(move.partition, None)
    else:
        shown[move.partition] = move.version


def _evenly(instants: Sequence[datetime], most: int) -> Sequence[datetime]:
    if len(instants) <= most:
        return instants
    return [instants[place * (len(instants) - 1) // (most - 1)] for place in range(most)]


def _changes(points: Sequence[AgePoint]) -> Iterator[AgePoint]:
    for place, point in enumerate(points):
        before = points[place - 1] if place else None
        if before is None or replace(before, at=point.at) != point:
            yield point


def lag_at(points: Sequence[AgePoint], at: datetime) -> float | None:
    """Return how old the data was at an instant, in seconds; None where there was none."""
    place = bisect_right(points, at, key=lambda point: point.at) - 1
    known = points[place].data_time if place >= 0 else None
    return None if known is None else max((at - known).total_seconds(), 0.0)


def freshness_history(
    asset: AssetName,
    stated: StatedPolicy | None,
    points: Sequence[AgePoint],
    start: datetime,
    end: datetime,
) -> FreshnessHistory:
    """Return the history that `points` tell, with its share of fresh time and error budget."""
    spans = list(_spans(points, end))
    known = sum((until - since).total_seconds() for since, until, _ in spans)
    told = FreshnessHistory(asset, stated, start, end, tuple(points))
    if stated is None or not known:
        return told
    fresh = sum(
        max((min(until, _fresh_until(stated, data, until)) - since).total_seconds(), 0.0)
        for since, until, data in spans
    )
    slo = stated.policy.slo
    budget = None if slo is None else (1 - slo) * known
    left = None if budget is None else budget - (known - fresh)
    return FreshnessHistory(
        asset, stated, start, end, tuple(points), fresh / known, budget, left
    )  # fmt: skip


def _fresh_until(stated: StatedPolicy, data: datetime | None, until: datetime) -> datetime:
    return until if data is None else becomes_overdue(stated.policy, data)


def _spans(
    points: Sequence[AgePoint], end: datetime
) -> Iterator[tuple[datetime, datetime, datetime | None]]:
    """Yield the spans in which there was data: since, until, and its data time; None: ageless."""
    ends = [*(point.at for point in points[1:]), end]
    for point, until in zip(points, ends, strict=False):
        if (point.data_time or point.is_ageless) and until > point.at:
            yield point.at, until, point.data_time


def trend_of(
    past: Mapping[AssetName, PastOfAsset], start: datetime, end: datetime, count: int
) -> dict[AssetName, tuple[float | None, ...]]:
    """Return the lags of each asset in `past` at `count` instants up to `end`, the oldest first.

    They all have one history.
    """
    shared: dict[datetime, Derivation] = {}
    step = (end - start) / count
    instants = [start + step * place for place in range(1, count + 1)]
    return {
        name: tuple(
            None
            if point.data_time is None
            else max((point.at - point.data_time).total_seconds(), 0)
            for point in points_at(one, instants, shared)
        )
        for name, one in past.items()
    }
