"""How each asset stands, from what a plan over everything would do. Pure."""

from collections.abc import Iterator

from assetflow.model.names import AssetName, AssetPartition
from assetflow.planning.history import Publication
from assetflow.planning.plan import Known, plan
from assetflow.planning.reasons import Reason, UpToDate
from assetflow.planning.results import AssetStatus, Sync
from assetflow.planning.steps import Request, Step


def standings(known: Known) -> Iterator[AssetStatus]:
    """Yield the status of each asset, upstream first.

    An asset whose upstream will run, and may come out the same, is `unknown`, and so is
    one that is made from a source which cannot be observed; one that only has to be
    verified holds the right content already.
    """
    steps = {step.target.asset: step for step in plan(known, Request()).steps}
    for name in known.graph.assets:
        step = steps.get(name)
        sync = _sync(step)
        target = AssetPartition(name)
        last = step.last if step else known.history.published.get(target)
        reasons: tuple[Reason, ...] = step.reasons if step else (UpToDate(),)
        yield AssetStatus(
            asset=name,
            sync=sync,
            freshness="no_policy",
            health="unchecked",
            behind=_behind(known, last) if last and sync != "up_to_date" else (),
            partitions={sync: 1},
            reasons=reasons,
            materialized_at=last.materialization.created_at if last else None,
            rows=last.version.rows if last else None,
        )


def _sync(step: Step | None) -> Sync:
    if step is None or step.action == "verify":
        return "up_to_date"
    if step.last is None:
        return "missing"
    return "unknown" if step.action in ("may_materialize", "blocked") else "stale"


def _behind(known: Known, last: Publication) -> tuple[AssetName, ...]:
    """Return the upstreams that serve another version than `last` was made from."""
    behind = []
    for use in last.materialization.inputs:
        upstream = known.history.published.get(AssetPartition(use.upstream))
        if upstream is not None and use.versions != (upstream.version.version,):
            behind.append(use.upstream)
    return tuple(behind)
