"""`check`: how the checks stand of what is published, and of what was rejected since."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from assetflow.execution.asking import Asker
from assetflow.execution.auditor import Auditor, Subject
from assetflow.execution.check_lines import Told, check_lines
from assetflow.execution.compute import Maker, Means
from assetflow.execution.gathering import Place, gather
from assetflow.execution.promoting import user_name
from assetflow.execution.whole_audits import whole_subject
from assetflow.metadata.check_rows import rejected_versions, was_ever_rejected
from assetflow.metadata.folding import fold
from assetflow.metadata.journal import Journal
from assetflow.metadata.presence import run_presence
from assetflow.metadata.recall import remembered, versions_by_id
from assetflow.metadata.records import DigestAdded, Record, RunFinished, RunStarted
from assetflow.model.names import AssetName, AssetPartition, PartitionKey, RunId, VersionId
from assetflow.planning.check_pages import ChecksPage
from assetflow.planning.plan import others_of, plan
from assetflow.planning.standing import rejected_again, to_be_changed
from assetflow.planning.steps import Request
from assetflow.planning.terms import distinct_reads
from assetflow.planning.wanted import targets_of, wanted_partitions
from assetflow.warehouse.layout import new_version_id

if TYPE_CHECKING:
    from assetflow.execution.knowledge import Knowledge
    from assetflow.planning.history import VersionStored
    from assetflow.planning.plan import Current

Partitions = Mapping[AssetName, Collection[PartitionKey]]


@dataclass(slots=True)
class Checking:
    """One asking of checks, by a short run of its own if anything is new."""

    place: Place
    knowledge: Knowledge
    means: Means
    clock: Callable[[], datetime]
    command: str = ""

    def page(self, request: Request) -> ChecksPage:
        """Return how the checks of the assets in `request` stand; forced, none is carried over."""
        started = time.perf_counter()
        slices = self.knowledge.slices
        targets = targets_of(slices, request)
        wanted = wanted_partitions(slices, replace(request, only=True))
        asked = {name: keys for name, keys in wanted.items() if name in targets}
        facts = self.knowledge.facts
        checked = {
            name: keys for name, keys in asked.items() if facts[name].checks or facts[name].whole
        }
        subjects = list(self._subjects(checked, anew=request.force))
        results = self._audited(subjects)
        there = {subject.target.asset for subject, _ in subjects}
        return ChecksPage(
            lines=tuple(check_lines(self.place, results)),
            unmade=tuple(name for name in checked if name not in there),
            without=tuple(name for name in asked if name not in checked),
            seconds=time.perf_counter() - started,
            keys={name: slices.keys[name] for name in asked},
        )

    def _subjects(self, checked: Partitions, *, anew: bool) -> Iterator[tuple[Subject, bool]]:
        """Yield the versions to look at: what is published, then what was rejected since."""
        knowledge = self.knowledge
        rejected = self._recall(checked)
        known, current = knowledge.known(), knowledge.current()
        for name, keys in checked.items():
            facts = knowledge.facts[name]
            for key in knowledge.slices.in_order(name, tuple(keys)):
                target = AssetPartition(name, key)
                others = others_of(known, facts, target, current)
                published = knowledge.past.published.get(target)
                if published is not None:
                    yield Subject(target, facts, published.version, others, anew=anew), True
                if target in rejected:
                    yield Subject(target, facts, rejected[target], others, anew=anew), False
            if facts.whole:
                yield from self._wholes(name, current, rejected, anew=anew)

    def _wholes(
        self,
        name: AssetName,
        current: Current,
        rejected: Mapping[AssetPartition, VersionStored],
        *,
        anew: bool,
    ) -> Iterator[tuple[Subject, bool]]:
        """Yield all partitions of an asset together: as published, then as a run rejected them."""
        newer = {target: one.version for target, one in rejected.items() if target.asset == name}
        served = whole_subject(self.knowledge, name, current, anew=anew)
        if served is not None:
            yield served, True
        if newer:
            together = whole_subject(self.knowledge, name, {**current, **newer}, anew=anew)
            if together is not None and self.knowledge.past.audits.get(together.version.version):
                yield together, False

    def _recall(self, checked: Partitions) -> dict[AssetPartition, VersionStored]:
        """Recall what is published of `checked`, and what they read; return the rejected."""
        knowledge = self.knowledge
        wanted: dict[AssetName, Collection[PartitionKey]] = dict(checked)
        for name in checked:
            facts = knowledge.facts[name]
            if facts.whole:
                wanted[name] = knowledge.slices.keys[name]
            for other, _ in distinct_reads((*facts.checks, *facts.whole)):
                wanted[other] = knowledge.slices.keys[other]
        state, environment = self.place.state, self.place.environment
        past = remembered(state, environment, wanted, {})
        knowledge.reach = checked
        knowledge.recall(past)
        found = self._rejected(checked.keys())
        stored = versions_by_id(state, found.values())
        knowledge.versions.update(stored)
        return {target: stored[version] for target, version in found.items() if version in stored}

    def _rejected(self, assets: Collection[AssetName]) -> dict[AssetPartition, VersionId]:
        """Return the rejected versions of what a plan would change; of all else they do not matter.

        Of each partition the newest, or what would come out again.
        """
        state = self.place.state
        if not was_ever_rejected(state, assets):
            return {}
        analysis, engine = self.knowledge.analysis, self.means.engine
        known = gather(self.place, analysis, engine, self.clock(), Request()).known()
        steps = [step for step in plan(known, Request()).steps if step.target.asset in assets]
        changed = to_be_changed(steps)
        found = rejected_versions(state, self.place.environment, assets)
        newest = {target: version for target, version in found.items() if target in changed}
        return {**newest, **rejected_again({step.target: step.reasons for step in steps})}

    def _audited(self, subjects: Sequence[tuple[Subject, bool]]) -> list[Told]:
        """Audit `subjects`, keep what is new, and return all results."""
        run = RunId(new_version_id())
        maker = Maker(self.knowledge, self.place, self.means)
        auditor = Auditor(self.knowledge, Asker(self.knowledge, maker), run, self.clock)
        found, records = list[Told](), list[Record]()
        with run_presence(self.place.state):
            began = self.clock()
            for subject, is_published in subjects:
                audit = auditor.audit(subject)
                records.extend(audit.records)
                key, version = subject.target.partition, subject.version.version
                found.extend(
                    Told(
                        one
                        if one.version == version
                        else replace(one, partition=key, version=version),
                        facts,
                        is_published,
                    )
                    for one, facts in zip(audit.results, subject.facts.checks, strict=True)
                )
            if records:
                self._keep(run, began, records)
        return found

    def _keep(self, run: RunId, began: datetime, records: Iterable[Record]) -> None:
        state = self.place.state
        started = RunStarted(
            run=run,
            environment=self.place.environment,
            started_at=began,
            command=self.command,
            pid=os.getpid(),
            host=platform.node(),
            user=user_name(),
        )
        algorithm = self.knowledge.engine.algorithm
        added = self.knowledge.added.items()
        digests = [DigestAdded(*key, algorithm, digest) for key, digest in added]
        with closing(Journal(state, run)) as journal:
            for record in (started, *records, *digests):
                journal.append(record)
            journal.append(RunFinished(run, "succeeded", self.clock(), ()))
            journal.sync()
            fold(state, self.clock())
            journal.discard()
