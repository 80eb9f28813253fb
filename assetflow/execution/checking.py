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
from assetflow.execution.gathering import Place
from assetflow.execution.promoting import user_name
from assetflow.metadata.check_rows import ResultKept, rejected_versions
from assetflow.metadata.folding import fold
from assetflow.metadata.journal import Journal
from assetflow.metadata.presence import run_presence
from assetflow.metadata.recall import remembered, versions_by_id
from assetflow.metadata.records import DigestAdded, Record, RunFinished, RunStarted
from assetflow.model.names import AssetName, AssetPartition, PartitionKey, RunId
from assetflow.planning.check_pages import CheckLine, ChecksPage
from assetflow.planning.plan import others_of
from assetflow.planning.steps import Request
from assetflow.planning.wanted import targets_of, wanted_partitions
from assetflow.warehouse.layout import new_version_id

if TYPE_CHECKING:
    from assetflow.execution.knowledge import Knowledge
    from assetflow.planning.history import VersionStored

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
        checked = {name: keys for name, keys in asked.items() if self.knowledge.facts[name].checks}
        subjects = list(self._subjects(checked, anew=request.force))
        results = self._audited(subjects)
        there = {subject.target.asset for subject, _ in results}
        return ChecksPage(
            lines=tuple(self._lines(results)),
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

    def _recall(self, checked: Partitions) -> dict[AssetPartition, VersionStored]:
        """Recall what is published of `checked` and of what its checks read; return the rejected."""
        knowledge = self.knowledge
        wanted: dict[AssetName, Collection[PartitionKey]] = dict(checked)
        for name in checked:
            for check in knowledge.facts[name].checks:
                for read in check.reads:
                    wanted[read.upstream] = knowledge.slices.keys[read.upstream]
        state, environment = self.place.state, self.place.environment
        past = remembered(state, environment, wanted, {})
        knowledge.reach = checked
        knowledge.recall(past)
        found = rejected_versions(state, environment, checked.keys())
        stored = versions_by_id(state, found.values())
        knowledge.versions.update(stored)
        return {
            target: stored[version] for target, version in found.items() if version in stored
        }

    def _audited(
        self, subjects: Sequence[tuple[Subject, bool]]
    ) -> list[tuple[Subject, tuple[tuple[ResultKept, bool], ...]]]:
        """Audit `subjects`, and keep what is new."""
        run = RunId(new_version_id())
        maker = Maker(self.knowledge, self.place, self.means)
        auditor = Auditor(self.knowledge, Asker(self.knowledge, maker), run, self.clock)
        found, records = [], list[Record]()
        with run_presence(self.place.state):
            began = self.clock()
            for subject, is_published in subjects:
                audit = auditor.audit(subject)
                records.extend(audit.records)
                found.append((subject, tuple((one, is_published) for one in audit.results)))
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

    def _lines(
        self, results: Sequence[tuple[Subject, tuple[tuple[ResultKept, bool], ...]]]
    ) -> Iterator[CheckLine]:
        told = []
        for subject, found in results:
            checks = {facts.check.name: facts for facts in subject.facts.checks}
            for one, is_published in found:
                told.append(Told(one, checks[one.evaluated.outcome.check], is_published))
        return check_lines(self.place, told)
