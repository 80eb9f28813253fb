"""Audits of all partitions of an asset together, as they would be served after a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assetflow.execution.auditor import Audit, Subject
from assetflow.metadata.check_rows import audits_of
from assetflow.model.columns import united
from assetflow.model.names import (
    WHOLE,
    AssetName,
    AssetPartition,
    MaterializationId,
    PartitionKey,
    VersionId,
)
from assetflow.planning.history import VersionStored
from assetflow.planning.plan import others_of
from assetflow.planning.reasons import Rejected, UpstreamRejected
from assetflow.planning.terms import token_of
from assetflow.warehouse.layout import new_version_id

if TYPE_CHECKING:
    from assetflow.execution.auditor import Auditor
    from assetflow.execution.knowledge import Knowledge
    from assetflow.execution.run import Ended, Execution
    from assetflow.planning.plan import Current


@dataclass(frozen=True, slots=True)
class WholeAudits:
    """Audits the assets of one run that have checks of all their partitions together."""

    knowledge: Knowledge
    auditor: Auditor

    def hold_back(self, execution: Execution) -> Iterator[Ended]:
        """Audit what a run made, and yield each step of which nothing is to be published now.

        Those are the partitions of an asset that failed as a whole, and what was made from
        them. What is served already stays so: a partition that came out the same is none.
        """
        rejected: dict[AssetName, AssetName] = {}
        by_asset: dict[AssetName, list[Ended]] = {}
        for one in execution.ended:
            by_asset.setdefault(one.result.target.asset, []).append(one)
        for name in self.knowledge.graph.assets:
            above = [rejected[up] for up in self.knowledge.graph.upstreams[name] if up in rejected]
            ended = by_asset.get(name, [])
            if above:
                rejected[name] = above[0]
                yield from _stopped(ended, above[0])
            elif ended and self.knowledge.facts[name].whole:
                audit = self._audited(name, execution)
                changed = [one for one in ended if self._changes(one)]
                if audit.is_rejected and changed:
                    rejected[name] = name
                    yield from self._rejected(changed, audit, execution)
                else:
                    yield _told(ended[-1], audit)

    def _changes(self, one: Ended) -> bool:
        """Whether readers would see another version of a partition."""
        served = self.knowledge.past.published.get(one.result.target)
        version = one.change.version if one.change else None
        return version is not None and (served is None or served.version.version != version)

    def _rejected(
        self, changed: Iterable[Ended], audit: Audit, execution: Execution
    ) -> Iterator[Ended]:
        """Keep the versions aside: their keys find them, and are known to be rejected."""
        for one in changed:
            assert one.made is not None
            made = replace(
                one.made,
                materialization=MaterializationId(new_version_id()),
                outcome="rejected",
                created_at=execution.clock(),
            )
            execution.journal.append(made)
            one.made, one.change = made, None
            one.result = replace(
                one.result,
                outcome="rejected",
                reasons=(Rejected(audit.failed), *one.result.reasons),
                checks=(*one.result.checks, *audit.outcomes),
            )
            yield one

    def _audited(self, name: AssetName, execution: Execution) -> Audit:
        subject = whole_subject(self.knowledge, name, execution.current)
        if subject is None:
            return Audit()
        audit = self.auditor.audit(subject)
        for record in audit.records:
            execution.journal.append(record)
        return audit


def whole_subject(
    knowledge: Knowledge, name: AssetName, current: Current, *, anew: bool = False
) -> Subject | None:
    """Return all partitions of an asset as one thing to audit; None where there are none."""
    facts = replace(knowledge.facts[name], checks=knowledge.facts[name].whole)
    keys = knowledge.slices.keys[name]
    targets = {key: AssetPartition(name, key) for key in keys}
    found = {key: current[target] for key, target in targets.items() if target in current}
    versions = [knowledge.versions[version] for version in found.values()]
    if not versions or any(one.format != "parquet" for one in versions):
        return None
    together = _together(found, versions)
    knowledge.results.read(together.version)
    if together.version not in knowledge.past.audits:
        known = audits_of(knowledge.state, [together.version])
        knowledge.past.audits.update(known)
    target = AssetPartition(name)
    return Subject(
        target=target,
        facts=facts,
        version=together,
        others=others_of(knowledge.known(), facts, target, current),
        scan=knowledge.scan(name, versions),
        anew=anew,
    )


def _together(
    found: Mapping[PartitionKey, VersionId], versions: list[VersionStored]
) -> VersionStored:
    """Return what stands for several versions: it has their rows, and lies nowhere itself."""
    return replace(
        max(versions, key=lambda one: one.version),
        version=VersionId(token_of(found.keys(), found.values())),
        partition=WHOLE,
        path="",
        schema=united(one.schema for one in versions),
        rows=sum(one.rows or 0 for one in versions),
        digests=(),
        packed=False,
    )


def _stopped(ended: Iterable[Ended], upstream: AssetName) -> Iterator[Ended]:
    for one in ended:
        if one.change is not None:
            one.change = None
            reasons = (UpstreamRejected(upstream),)
            one.result = replace(one.result, outcome="skipped", reasons=reasons)
            yield one


def _told(one: Ended, audit: Audit) -> Ended:
    """Return a step that also says how the checks of the whole came out."""
    asked = any(not outcome.carried_over for outcome in audit.outcomes)
    is_idle = one.result.outcome == "verified" and one.change is None
    outcome = "checked" if is_idle and asked else one.result.outcome
    checks = (*one.result.checks, *audit.outcomes)
    one.result = replace(one.result, outcome=outcome, checks=checks)
    return one
