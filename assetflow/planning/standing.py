"""How each asset stands, from what a plan over everything would do. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from assetflow.model.names import AssetName, AssetPartition, PartitionKey, VersionId
from assetflow.model.partitions import KeySet
from assetflow.planning.audits import AuditVerdict
from assetflow.planning.history import Publication, RollUp
from assetflow.planning.plan import Known, plan
from assetflow.planning.reasons import Reason, RejectedLastTime, UpToDate, by_weight
from assetflow.planning.results import AssetStatus, Health, Sync
from assetflow.planning.steps import PartitionRange, Request, Step, ranges_of

HEALTH: Mapping[AuditVerdict, Health] = {
    "passed": "passed",
    "warned": "warned",
    "failed": "failed",
    "broken": "failed",
    "rejected": "failed",
}

NOTHING = RollUp(0, None, None)


def standings(known: Known, served: Mapping[AssetName, RollUp]) -> Iterator[AssetStatus]:
    """Yield the status of each asset, upstream first.

    An asset whose upstream will run, and may come out the same, is `unknown`, and so is
    one that is made from a source which cannot be observed; one that only has to be
    verified holds the right content already.
    """
    steps: dict[AssetName, list[Step]] = defaultdict(list)
    for step in plan(known, Request()).steps:
        steps[step.target.asset].append(step)
    for name in known.graph.assets:
        yield _status(known, name, steps.get(name, ()), served.get(name, NOTHING))


def _status(known: Known, name: AssetName, steps: Sequence[Step], served: RollUp) -> AssetStatus:
    keys = known.slices.keys[name]
    facts = known.facts[name]
    checks = [one.check.name for one in (*facts.checks, *facts.whole)]
    counts: Counter[str] = Counter(map(_sync, steps))
    counts["up_to_date"] += len(keys) - sum(step.action != "withdraw" for step in steps)
    changing = to_be_changed(steps)
    newer = [key for key in served.rejected if AssetPartition(name, key) in changing]
    again = rejected_again({step.target: step.reasons for step in steps})
    reasons = by_weight(tuple(reason for step in steps for reason in step.reasons))
    behind = [
        upstream
        for step in steps
        if step.last is not None and _sync(step) != "up_to_date"
        for upstream in _behind(known, step.last)
    ]
    return AssetStatus(
        asset=name,
        sync=_overall(counts, served),
        freshness="no_policy",
        health=_health(checks, served),
        behind=tuple(dict.fromkeys(behind)),
        partitions={state: count for state, count in counts.items() if count},
        reasons=reasons or (UpToDate(),),
        materialized_at=served.materialized_at,
        rows=served.rows,
        ranges=_ranges(keys, steps) if keys.partitions is not None else None,
        unmet=tuple(name for name in served.unmet if name in checks),
        rejected=tuple(dict.fromkeys([*newer, *(target.partition for target in again)])),
    )


def _health(checks: Collection[str], served: RollUp) -> Health:
    """Return how the checks stand that there are, of what is served."""
    if not checks or served.verdict is None:
        return "unchecked"
    return HEALTH[served.verdict]


def _ranges(keys: KeySet, steps: Sequence[Step]) -> dict[str, tuple[PartitionRange, ...]]:
    """Return which partitions stand how, but for those that are up to date."""
    found: dict[str, list[PartitionKey]] = {}
    for step in steps:
        found.setdefault(_sync(step), []).append(step.target.partition)
    found.pop("up_to_date", None)
    return {sync: ranges_of(keys, wanted) for sync, wanted in found.items()}


def _overall(counts: Mapping[str, int], served: RollUp) -> Sync:
    """Return how an asset stands as a whole: missing only if there is nothing of it."""
    if counts["missing"]:
        return "stale" if served.published else "missing"
    if counts["stale"]:
        return "stale"
    return "unknown" if counts["unknown"] else "up_to_date"


def to_be_changed(steps: Iterable[Step]) -> set[AssetPartition]:
    """Return the targets of `steps` whose published version is not what would be made now.

    Of no other target does it matter that a newer version was rejected.
    """
    return {step.target for step in steps if _sync(step) != "up_to_date"}


def rejected_again(
    steps: Mapping[AssetPartition, Collection[Reason]],
) -> dict[AssetPartition, VersionId]:
    """Return what would come out again of `steps`, by their reasons, and was rejected.

    It may have been so before what is served now was made.
    """
    return {
        target: VersionId(reason.version)
        for target, reasons in steps.items()
        for reason in reasons
        if isinstance(reason, RejectedLastTime)
    }


def _sync(step: Step) -> Sync:
    if step.action in ("verify", "check"):
        return "up_to_date"
    if step.last is None:
        return "missing"
    if any(isinstance(reason, RejectedLastTime) for reason in step.reasons):
        return "stale"
    return "unknown" if step.action in ("may_materialize", "blocked") else "stale"


def _behind(known: Known, last: Publication) -> Iterator[AssetName]:
    """Yield the upstreams that serve another version than `last` was made from."""
    for use in last.materialization.inputs:
        for key, version in zip(use.partitions, use.versions, strict=True):
            upstream = known.history.published.get(AssetPartition(use.upstream, key))
            if upstream is not None and version != upstream.version.version:
                yield use.upstream
                break
