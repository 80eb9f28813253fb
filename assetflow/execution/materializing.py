"""One run from its plan to its publication, and again when another run was faster."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from assetflow.errors import StoreLocked
from assetflow.execution.asking import Asker
from assetflow.execution.auditor import Auditor
from assetflow.execution.capture import routed_streams
from assetflow.execution.compute import Maker, Means
from assetflow.execution.gathering import Place, gather
from assetflow.execution.looks import kept_looks
from assetflow.execution.packed_partitions import Packer
from assetflow.execution.promoting import user_name
from assetflow.execution.publishing import Publisher, refresh_catalog
from assetflow.execution.repairing import (
    failing_of,
    happened,
    is_rejected,
    known_failed,
    limits_of,
    mended_by,
)
from assetflow.execution.run import GOOD, Ended, Execution, RunSettings
from assetflow.execution.serving import key_columns
from assetflow.execution.stopping import Stop, stop_requests
from assetflow.execution.telling import Telling
from assetflow.execution.whole_audits import WholeAudits
from assetflow.metadata.folding import fold
from assetflow.metadata.journal import Journal
from assetflow.metadata.presence import run_presence
from assetflow.metadata.records import DigestAdded, RunFinished, RunStarted, SlicesDigested
from assetflow.metadata.repairs import CheckedPartition, tries
from assetflow.metadata.tail import JournalTail
from assetflow.model.names import WHOLE, AssetName, AssetPartition, RunId
from assetflow.planning.plan import Known, plan
from assetflow.planning.reasons import RunStopped, Superseded, listed
from assetflow.planning.repair import Failing, Repair, RepairPlan, plan_repairs
from assetflow.planning.results import RunResult, RunStatus, StepResult
from assetflow.planning.steps import Plan, Request
from assetflow.planning.terms import stops

if TYPE_CHECKING:
    from assetflow.execution.knowledge import Knowledge
    from assetflow.execution.resources import Resources
    from assetflow.planning.listener import Listener
    from assetflow.project.analysis import Analysis
    from assetflow.project.settings import Settings
    from assetflow.warehouse.connection import Engine

MOST_ATTEMPTS = 4
"""The first, and three more after a lost comparison; then what is left is superseded."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is asked to do. `publish` is "run", "all" or "each".

    `repairs` are those that somebody asked for; the request is theirs then.
    """

    request: Request
    run: RunId
    threads: int
    publish: str
    command: str
    fail_fast: bool = False
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One plan, what it was made from, and what other runs do since."""

    knowledge: Knowledge
    plan: Plan
    tail: JournalTail


@dataclass(slots=True)
class Materializing:
    """One run: planned, carried out, published; planned again if it came too late."""

    place: Place
    settings: Settings
    resources: Resources
    analysis: Analysis
    engine: Engine
    asked: RunRequest
    listener: Listener
    clock: Callable[[], datetime]
    check: Callable[[Knowledge], Knowledge]
    results: dict[AssetPartition, StepResult] = field(default_factory=dict)
    _notes: list[tuple[AssetName, str]] = field(default_factory=list)
    _stop: Stop = field(default_factory=Stop)
    _unpublished: str = ""
    _lost: bool = False

    def __post_init__(self) -> None:
        self.listener = Telling(self.listener)

    def run(self) -> RunResult:
        """Return how the run ended. Without anything to do, nothing is recorded."""
        started = time.perf_counter()
        attempt = self._planned()
        if not attempt.plan.steps:
            return self._result("succeeded", started, attempt.plan, RunId(""))
        with ExitStack() as open_things:
            open_things.enter_context(run_presence(self.place.state))
            open_things.enter_context(routed_streams())
            open_things.enter_context(
                stop_requests(self.place.state, self.asked.run, self._stop, self.listener)
            )
            journal = Journal(self.place.state, self.asked.run)
            open_things.callback(journal.close)
            open_things.callback(self.resources.close, self.listener.message)
            journal.append(self._run_started())
            self._note_tried(journal, self.asked.repairs)
            self.listener.planned(attempt.plan, self.asked.run)
            status = self._attempts(journal, attempt)
            result = self._result(status, started, attempt.plan, self.asked.run)
            self._finish(journal, result)
        return result

    def _planned(
        self, done: frozenset[AssetPartition] = frozenset(), request: Request | None = None
    ) -> Attempt:
        """Plan from what is known now. The tail is made first: nothing falls between."""
        tail = JournalTail(self.place.state, self.asked.run)
        request = replace(request or self.asked.request, done=done)
        knowledge = gather(self.place, self.analysis, self.engine, self.clock(), request)
        return Attempt(knowledge, plan(self.check(knowledge).known(), request), tail)

    def _attempts(self, journal: Journal, attempt: Attempt) -> RunStatus:
        """Carry out plans until one is published whole; say how the run ended."""
        for number in range(MOST_ATTEMPTS):
            if number:
                self.listener.message("Something changed meanwhile: planning again.")
                attempt = self._planned_again()
                self.listener.planned_again(attempt.plan)
            execution = self._repaired(journal, self._carried_out(journal, attempt))
            if self._stop.is_asked:
                self._keep_withdrawn()
                self._tell_changes(execution)
                return "interrupted"
            if self._is_published(journal, execution):
                self._tell_changes(execution)
                return "unpublished" if self._unpublished else self._status()
        self._supersede(execution)
        return "failed"

    def _repaired(self, journal: Journal, execution: Execution) -> Execution:
        """Try to mend what was rejected and asks for it; then plan anew over what that made.

        Each try counts, so that this ends; what is selected alone is not left for it.
        """
        if self.asked.repairs:
            self._tell_mended(journal, self.asked.repairs, execution)
            return execution
        while not self._stop.is_asked and not self.asked.request.only:
            planned = self._repairs_due(execution)
            repairs = tuple(one for one in planned.repairs if one.remedies)
            if not repairs:
                self._tell_exhausted(planned)
                return execution
            self._note_tried(journal, repairs)
            fold(self.place.state, self.clock())
            attempt = self._planned(request=planned.request(self._settled()))
            self.listener.planned_again(attempt.plan, f"Trying to repair {_named(repairs)}.")
            self._tell_mended(journal, repairs, self._carried_out(journal, attempt))
            attempt = self._planned_again()
            self.listener.planned_again(attempt.plan)
            execution = self._carried_out(journal, attempt)
        return execution

    def _repairs_due(self, execution: Execution) -> RepairPlan:
        stopped = {target: one.reasons for target, one in self.results.items() if is_rejected(one)}
        if not stopped:
            return RepairPlan()
        fold(self.place.state, self.clock())
        knowledge = execution.knowledge
        failed = [
            (target, outcome)
            for target, outcome in known_failed(knowledge, self.place.environment, stopped)
            if target in stopped and outcome.on_failure == "repair"
        ]
        tried = tries(self.place.state, self.place.environment)
        known = _as_made(execution)
        failing = failing_of(known.facts, failed, tried)
        limits = limits_of(self.settings.repair)
        return plan_repairs(known, failing, limits, self.clock(), self._settled())

    def _settled(self) -> set[AssetPartition]:
        return {target for target, one in self.results.items() if one.outcome in GOOD}

    def _note_tried(self, journal: Journal, repairs: Sequence[Repair]) -> None:
        self._note(journal, "tried", [repair.failing for repair in repairs if repair.remedies])

    def _note(self, journal: Journal, kind: str, failing: Sequence[Failing]) -> None:
        environment, run = self.place.environment, self.asked.run
        of = [CheckedPartition(*one.target, one.outcome.check) for one in failing]
        for record in happened(kind, of, environment, run, self.clock()):
            journal.append(record)

    def _tell_mended(
        self, journal: Journal, repairs: Sequence[Repair], execution: Execution
    ) -> None:
        """Keep with the steps what the repairs changed of their checks."""
        ended = {one.result.target: one.result for one in execution.ended}
        for target, found in mended_by(repairs, ended).items():
            mended = tuple(one for _, one in found)
            self.results[target] = replace(self.results[target], mended=mended)
            good = [one for one, change in found if change.after.status in ("passed", "warned")]
            self._note(journal, "mended", good)

    def _tell_exhausted(self, planned: RepairPlan) -> None:
        for failing in planned.exhausted:
            asset, key = failing.target
            which = f"{failing.outcome.check}{f' of {key}' if key else ''}"
            text = f"the repairs of {which} are used up: see `assetflow repair --list`"
            self._notes.append((asset, text))

    def _keep_withdrawn(self) -> None:
        """Say of what was to be withdrawn that it is not: nothing was published."""
        for target, result in self.results.items():
            if result.outcome == "withdrawn":
                self.results[target] = replace(result, outcome="skipped", reasons=(RunStopped(),))

    def _planned_again(self) -> Attempt:
        """Plan anew over what this run made already, which stays made."""
        self._lost = False
        fold(self.place.state, self.clock())
        kept = {*GOOD, "rejected"}
        self.results = {
            target: result for target, result in self.results.items() if result.outcome in kept
        }
        made = ("materialized", "unchanged")
        return self._planned(
            frozenset(target for target, one in self.results.items() if one.outcome in made)
        )

    def _status(self) -> RunStatus:
        return "failed" if any(map(_has_failed, self.results.values())) else "succeeded"

    def _carried_out(self, journal: Journal, attempt: Attempt) -> Execution:
        maker, run = Maker(attempt.knowledge, self.place, self._means), self.asked.run
        execution = Execution(
            knowledge=attempt.knowledge,
            maker=maker,
            auditor=Auditor(attempt.knowledge, Asker(attempt.knowledge, maker), run, self.clock),
            journal=journal,
            tail=attempt.tail,
            settings=RunSettings(
                self.asked.run, self.asked.threads, self.asked.fail_fast, self.settings.pools
            ),
            listener=self.listener,
            clock=self.clock,
            is_cancelled=lambda: self._stop.is_asked,
        )
        if self.asked.publish == "each":
            execution.on_ended = lambda ended: self._publish_each(journal, execution, ended)
        execution.carry_out(attempt.plan)
        for one in execution.ended:
            self._remember(one.result)
        return execution

    @property
    def _means(self) -> Means:
        return Means(self.engine, self.resources, self.place.root, self._stop.ending)

    def _remember(self, result: StepResult) -> None:
        """Keep how a step ended; what this run made before stays made when it is reused."""
        before = self.results.get(result.target)
        is_made = before is not None and before.outcome in GOOD
        if is_made and result.outcome in ("reused", "verified"):
            return
        if before is not None and (before.outcome, result.outcome) == ("rejected", "skipped"):
            return
        self.results[result.target] = result

    def _tell_changes(self, execution: Execution) -> None:
        """Journal again how a step ended where the last attempt alone would tell another story."""
        for one in execution.ended:
            result = self.results[one.result.target]
            if result.outcome != one.result.outcome:
                execution.record(replace_result(one, result), self.clock())

    def _is_published(self, journal: Journal, execution: Execution) -> bool:
        """Publish what passed; False if something moved, so that a new plan is due."""
        knowledge = execution.knowledge
        self._record_knowledge(journal, knowledge)
        if not all(source.is_still(self.place.root) for source in knowledge.sources.values()):
            return False
        for one in WholeAudits(knowledge, execution.auditor).hold_back(execution):
            mended = self.results[one.result.target].mended
            self.results[one.result.target] = replace(one.result, mended=mended)
            execution.record(one, self.clock())
        if self.asked.publish == "each":
            held = _held(knowledge)
            late = [one for one in execution.ended if one.result.target.asset in held]
            return not self._lost and self._publish(journal, knowledge, late)
        has_failed = any(_has_failed(one.result) for one in execution.ended)
        if self.asked.publish == "all" and has_failed:
            self._keep_withdrawn()
            return True
        return self._publish(journal, knowledge, execution.ended)

    def _publish_each(self, journal: Journal, execution: Execution, ended: Sequence[Ended]) -> None:
        self._record_knowledge(journal, execution.knowledge)
        held = _held(execution.knowledge)
        now = [one for one in ended if one.result.target.asset not in held]
        if not self._publish(journal, execution.knowledge, now):
            self._lost = True

    def _publish(self, journal: Journal, knowledge: Knowledge, ended: Sequence[Ended]) -> bool:
        changes = [one.change for one in ended if one.change is not None]
        if not changes:
            return True
        stored = [knowledge.versions[c.version] for c in changes if c.version is not None]
        publisher = Publisher(self.place.state, self.place.environment, self.asked.run, journal)
        try:
            return publisher.publish(changes, stored, self.clock())
        except StoreLocked as error:
            self._unpublished = str(error)
            return True

    def _record_knowledge(self, journal: Journal, knowledge: Knowledge) -> None:
        """Journal what was found out on the way: states of sources, digests of versions."""
        looks = kept_looks(self.place.state)
        for source in knowledge.sources.values():
            if source.is_new:
                source.is_new = False
                journal.append(source.observed(self.asked.run, self.clock(), self.engine.algorithm))
                found = looks.time_of(source, self.engine, self.settings.timezone)
                if found is not None:
                    journal.append(found)
        knowledge.digest_rest()
        while knowledge.added:
            (version, read_set), digest = knowledge.added.popitem()
            journal.append(DigestAdded(version, read_set, self.engine.algorithm, digest))
        while knowledge.added_slices:
            (version, cut, read_set), digests = knowledge.added_slices.popitem()
            how = (version, cut, read_set, self.engine.algorithm)
            journal.append(SlicesDigested(*how, tuple(digests.items())))

    def _supersede(self, execution: Execution) -> None:
        """Say of what was made, but could not be published, that others were faster."""
        for one in execution.ended:
            if one.change is not None:
                result = replace(one.result, outcome="superseded", reasons=(Superseded(),))
                self.results[result.target] = result
                execution.record(replace_result(one, result), self.clock())

    def _run_started(self) -> RunStarted:
        return RunStarted(
            run=self.asked.run,
            environment=self.place.environment,
            started_at=self.clock(),
            command=self.asked.command,
            pid=os.getpid(),
            host=platform.node(),
            user=user_name(),
        )

    def _finish(self, journal: Journal, result: RunResult) -> None:
        """Record the end of the run, fold, and renew the catalog; the journal is then over.

        The journal goes last: while it is there, whoever comes after a kill finishes this.
        """
        counts = tuple(sorted(result.counts.items()))
        journal.append(RunFinished(self.asked.run, result.status, self.clock(), counts))
        journal.sync()
        self.analysis.save()
        if result.status == "unpublished":
            return
        place = self.place
        packer = Packer(place, self.engine, journal, self.asked.run, self.clock())
        packed = packer.pack(self._made_slices())
        fold(place.state, self.clock())
        keys = key_columns(self.analysis.graph)
        refresh_catalog(self.engine, place.state, place.environment, keys, packed)
        journal.discard()

    def _made_slices(self) -> set[AssetName]:
        """Return the assets of which this run made partitions."""
        return {
            target.asset
            for target, result in self.results.items()
            if target.partition != WHOLE and result.outcome == "materialized"
        }

    def _result(self, status: RunStatus, started: float, made: Plan, run: RunId) -> RunResult:
        return RunResult(
            run=run,
            status=status,
            duration_seconds=time.perf_counter() - started,
            steps=tuple(self.results.values()),
            up_to_date=made.up_to_date,
            problem=self._unpublished,
            left=made.left,
            keys=made.keys,
            notes=tuple(self._notes),
            for_policies=made.for_policies,
        )


def _held(knowledge: Knowledge) -> set[AssetName]:
    """Return the assets that are published at the end of a run, when they were audited whole."""
    whole = [name for name, facts in knowledge.facts.items() if facts.whole]
    return {*whole, *knowledge.graph.all_downstream(whole)}


def _has_failed(result: StepResult) -> bool:
    """Whether a step gave nothing, or a version that is served failed a check that blocks."""
    return result.outcome not in GOOD or any(map(stops, result.checks))


def _as_made(execution: Execution) -> Known:
    """Return what is known, with the columns of what the run made so far."""
    known, knowledge = execution.knowledge.known(), execution.knowledge
    unsettled = [name for name, facts in known.facts.items() if not facts.is_settled]
    found = {
        name: knowledge.settled_facts(AssetPartition(name), execution.current) for name in unsettled
    }
    return replace(known, facts={**known.facts, **found})


def _named(repairs: Sequence[Repair], most: int = 3) -> str:
    """Return which checks are to be mended, for a sentence."""
    checks = dict.fromkeys(
        f"{one.failing.outcome.check} of '{one.failing.target.asset}'" for one in repairs
    )
    return listed(tuple(checks), most)


def replace_result(ended: Ended, result: StepResult) -> Ended:
    """Return `ended` as if it had ended with `result`."""
    return Ended(result, ended.version, ended.change, ended.made)
