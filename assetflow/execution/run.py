"""Carry out a plan: settle each step when its upstreams are done, then do what is left to do.

It decides nothing: `settle` does. Nothing here publishes: `publishing` does, from the
changes that a run leaves.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from assetflow.errors import AssetflowError, StepError, VersionRejected
from assetflow.execution.auditor import NOTHING_AUDITED, Audit, Subject
from assetflow.execution.capture import captured, shortened
from assetflow.execution.locks import Cancelled, locked_partitions, pool_slot
from assetflow.execution.scheduler import Schedule
from assetflow.execution.setting_aside import QUARANTINE, Remaining, SettingAside
from assetflow.execution.tasks import Task, alike, by_partition, share, tasks_of
from assetflow.execution.timing import time_of_version
from assetflow.metadata.records import (
    Audited,
    DefinitionSeen,
    LineageSeen,
    Materialized,
    PartitionsChanged,
    PublicationChange,
    StepFinished,
    VersionStored,
)
from assetflow.metadata.rollups import dynamic_keys
from assetflow.model.asset import Retries
from assetflow.model.columns import ReadSet
from assetflow.model.names import (
    AssetName,
    AssetPartition,
    MaterializationId,
    PartitionKey,
    RunId,
    VersionId,
)
from assetflow.planning.history import Candidate
from assetflow.planning.plan import Known, others_of, settle, window_of
from assetflow.planning.reasons import (
    Reason,
    Rejected,
    RejectedLastTime,
    RunStopped,
    UpstreamFailed,
    UpstreamRejected,
    Verified,
    settled_to_nothing,
)
from assetflow.planning.results import StepResult
from assetflow.planning.steps import Outcome, Plan, Step, Verdict
from assetflow.warehouse.layout import new_version_id

if TYPE_CHECKING:
    import io

    from assetflow.execution.asking import Asked
    from assetflow.execution.auditor import Auditor
    from assetflow.execution.compute import Made, Maker
    from assetflow.execution.knowledge import Knowledge
    from assetflow.metadata.journal import Journal
    from assetflow.metadata.tail import JournalTail
    from assetflow.planning.listener import Listener

GOOD: frozenset[Outcome] = frozenset(
    {"materialized", "unchanged", "reused", "verified", "checked", "withdrawn"}
)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a run is carried out: `pools` are limits by name; `threads` steps run at once."""

    run: RunId
    threads: int
    fail_fast: bool = False
    pools: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Ended:
    """What came of one step: its result, and the pointer that it wants moved.

    `made` is what was recorded of the version, if something was.
    """

    result: StepResult
    version: VersionId | None = None
    change: PublicationChange | None = None
    made: Materialized | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A version that may be published: what making it took, told, and measured.

    `set_aside` are how checks came out that took rows of it, which lie at `place`.
    """

    version: VersionStored
    seconds: float = 0.0
    metadata: tuple[tuple[str, str], ...] = ()
    measured: tuple[tuple[object, ...], ...] = ()
    set_aside: Mapping[str, Asked] = field(default_factory=dict)
    place: str = ""


@dataclass(slots=True)
class Execution:
    """One plan being carried out. `current` is what downstream steps would read now.

    `failed` are the steps that gave nothing, those that were blocked from the start
    included: what waits on them cannot run. Of these `rejected` name the asset whose
    version was rejected.
    """

    knowledge: Knowledge
    maker: Maker
    auditor: Auditor
    journal: Journal
    tail: JournalTail
    settings: RunSettings
    listener: Listener
    clock: Callable[[], datetime]
    is_cancelled: Callable[[], bool]
    on_ended: Callable[[Sequence[Ended]], None] = lambda _ended: None
    current: dict[AssetPartition, VersionId] = field(default_factory=dict)
    failed: set[AssetPartition] = field(default_factory=set)
    rejected: dict[AssetPartition, AssetName] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)
    _known: Known = field(init=False)
    _dynamic: dict[str, set[PartitionKey]] = field(default_factory=dict)
    _has_failed: bool = False
    _tail_guard: threading.Lock = field(default_factory=threading.Lock)
    _learned: dict[VersionId, VersionStored] = field(default_factory=dict)

    def carry_out(self, plan: Plan) -> None:
        """Carry out `plan`; `ended` then has what came of each step, in order of ending."""
        self.current.update(self.knowledge.current())
        self._known = self.knowledge.known()
        found = dynamic_keys(self.knowledge.state)
        self._dynamic = {name: set(keys) for name, keys in found.items()}
        tasks = tasks_of(plan.steps, self.knowledge)
        task_of = {step.target: task for task in tasks for step in task.steps}
        waits = {
            task: tuple(
                other
                for other in dict.fromkeys(
                    task_of[target]
                    for step in task.steps
                    for target in (*step.waits_on, *step.before_audit)
                )
                if other is not task
            )
            for task in tasks
        }
        Schedule(
            tasks=tasks,
            waits_on=waits,
            work=self._work,
            leave=self._leave,
            on_start=self._started,
            on_done=self._done,
            should_stop=self._should_stop,
        ).run(self.settings.threads)

    def _should_stop(self) -> bool:
        return self.is_cancelled() or (self.settings.fail_fast and self._has_failed)

    def _started(self, task: Task) -> None:
        for target in task.targets:
            self.listener.started(target)

    def _done(self, _task: Task, ended: Sequence[Ended]) -> None:
        for one in ended:
            target = one.result.target
            self._has_failed |= one.result.outcome in ("failed", "rejected")
            if one.result.outcome not in GOOD:
                self.failed.add(target)
                self.rejected.update((target, name) for name in rejected_by(one.result))
            self.ended.append(one)
            self.listener.finished(one.result)
        self.on_ended(ended)

    def _current_now(self, one: Ended) -> Ended:
        """Let downstream steps, and the checks of what is made beside it, read what `one` gave."""
        if one.version is not None and one.result.outcome in GOOD:
            self.current[one.result.target] = one.version
        return one

    def _leave(self, task: Task) -> Sequence[Ended]:
        ended = [self._skipped(step, RunStopped()) for step in task.steps]
        for one in ended:
            self.record(one, self.clock())
        return ended

    def _work(self, task: Task) -> Sequence[Ended]:
        started_at, started = self.clock(), time.perf_counter()
        with captured() as sink:
            try:
                ended = self._begun(task, sink)
            except Cancelled:
                ended = [self._skipped(step, RunStopped()) for step in task.steps]
        seconds = share(time.perf_counter() - started, task.steps)
        output = shortened(sink.getvalue())
        for one in ended:
            one.result = replace(one.result, seconds=seconds, output=output)
            self.record(one, started_at)
        return ended

    def _begun(self, task: Task, sink: io.StringIO) -> Sequence[Ended]:
        """Do what is to be done with `task`, unless the run was stopped while it waited."""
        if self._should_stop():
            raise Cancelled
        return self._ended(task, sink)

    def _ended(self, task: Task, sink: io.StringIO) -> Sequence[Ended]:
        """Do what is to be done with `task`, under its locks."""
        idle: list[Ended] = []
        steps: list[Step] = []
        for step in task.steps:
            ended = self._idle(step)
            if ended is None:
                steps.append(step)
            else:
                idle.append(ended)
        if not steps:
            return idle
        targets = [step.target for step in steps]
        with locked_partitions(self.knowledge.state, targets, self.is_cancelled):
            self._learn()
            return [*idle, *self._settled(steps, sink)]

    def _idle(self, step: Step) -> Ended | None:
        """Return how `step` ends where nothing can be made; None where it is to be settled."""
        if step.action == "blocked":
            return self._skipped(step, *step.reasons)
        rejected = [self.rejected[one] for one in step.waits_on if one in self.rejected]
        if rejected:
            return self._skipped(step, UpstreamRejected(rejected[0]))
        failed = [target.asset for target in step.waits_on if target in self.failed]
        if failed:
            return self._skipped(step, UpstreamFailed(failed[0]))
        return self._withdrawn(step) if step.action == "withdraw" else None

    def _learn(self) -> None:
        """Read what other runs finished meanwhile."""
        with self._tail_guard:
            for environment, records in self.tail.poll().items():
                audits = (one for one in records if isinstance(one, Audited))
                self.knowledge.learn_audits(audits)
                stored = (one for one in records if isinstance(one, VersionStored))
                self._learned.update((one.version, one) for one in stored)
                found = found_candidates(records, self.knowledge.versions)
                is_ours = environment == self.knowledge.environment
                self.knowledge.learn(found, is_ours=is_ours)

    def _settled(self, steps: Sequence[Step], sink: io.StringIO) -> Sequence[Ended]:
        try:
            settled = [self._settle(step) for step in steps]
        except AssetflowError as error:
            return [self._failed(step, step.reasons, str(error)) for step in steps]
        keys = {s.target.partition for s, verdict in settled if verdict.action == "materialize"}
        running = [one for one in settled if one[0].target.partition in keys]
        ended = [
            self._current_now(self._taken(*one))
            for one in settled
            if one[0].target.partition not in keys
        ]
        for together in alike(running, self.knowledge.slices.keys[steps[0].target.asset]):
            ended.extend(self._made(together, sink))
        return ended

    def _settle(self, step: Step) -> tuple[Step, Verdict]:
        facts = self.knowledge.settled_facts(step.target, self.current)
        if facts.problem is not None:
            raise facts.problem
        step = replace(step, facts=facts)
        return step, settle(self._known, step, facts, self.current)

    def _taken(self, step: Step, verdict: Verdict) -> Ended:
        """Return how a step ends that takes what is there; it fails if that cannot be audited."""
        try:
            return self._unmade(step, verdict)
        except AssetflowError as error:
            return self._failed(step, verdict.reasons, str(error))

    def _unmade(self, step: Step, verdict: Verdict) -> Ended:
        """Return how a step ends for which nothing is to be computed."""
        if verdict.action == "blocked":
            return self._skipped(step, *verdict.reasons)
        candidate = verdict.candidate
        assert candidate is not None
        if verdict.action is None:
            reasons = (settled_to_nothing(step.reasons),)
            result = StepResult(step.target, "verified", reasons, candidate.version.rows)
            return Ended(result, candidate.version.version)
        if verdict.action == "check":
            return self._checked(step, verdict, candidate.version)
        outcome: Outcome = "reused" if verdict.action == "reuse" else "verified"
        return self._accepted(step, verdict, Stored(candidate.version), outcome)

    def _checked(self, step: Step, verdict: Verdict, version: VersionStored) -> Ended:
        """Let the version that is served meet its checks; it stays served, come what may."""
        audit = self._audited(step, Stored(version))
        is_same = all(isinstance(reason, Verified) for reason in verdict.reasons)
        outcome: Outcome = "verified" if is_same else "checked"
        rows, checks = version.rows, audit.outcomes
        result = StepResult(step.target, outcome, verdict.reasons, rows, checks=checks)
        return Ended(result, version.version)

    def _audited(self, step: Step, stored: Stored) -> Audit:
        """Ask what `stored` has not met yet, of the others as they would be served now."""
        facts = step.facts
        assert facts is not None
        if not facts.checks:
            return NOTHING_AUDITED
        audit = self.auditor.audit(self._subject(step, stored))
        for record in audit.records:
            self.journal.append(record)
        return audit

    def _subject(self, step: Step, stored: Stored) -> Subject:
        facts = step.facts
        assert facts is not None
        return Subject(
            target=step.target,
            facts=facts,
            version=stored.version,
            others=others_of(self._known, facts, step.target, self.current),
            measured=stored.measured,
            set_aside=stored.set_aside,
            place=stored.place,
        )

    def _made(
        self, settled: Sequence[tuple[Step, Verdict]], sink: io.StringIO, attempt: int = 1
    ) -> Sequence[Ended]:
        """Compute a task, again after a failure as often as it may be, and record what came."""
        options = self.knowledge.analysis.graph.assets[settled[0][0].target.asset].options
        while True:
            try:
                with self._slot(options.pool):
                    started = time.perf_counter()
                    made = self.maker.make(settled, self.settings.run, attempt, sink)
                seconds = share(time.perf_counter() - started, [step for step, _ in settled])
                break
            except AssetflowError as error:
                problem = error
            # Not while the error is handled: what follows would be said to come of it.
            if not self._may_retry(options.retries, attempt, problem):
                return self._unmade_task(settled, sink, attempt, problem)
            attempt += 1
        self._add_partitions(made.values())
        found, ended = list(made.values()), []
        for step, verdict in settled:
            try:
                left = self._remaining(step, made[step.target])
                found.append(left.made)
                kept = self._kept(step, verdict, left, seconds, attempt)
            except AssetflowError as error:
                kept = self._failed(step, verdict.reasons, str(error), attempt)
            ended.append(self._current_now(kept))
        self._discard_unkept([one.version for one in found], ended)
        return ended

    def _unmade_task(
        self,
        settled: Sequence[tuple[Step, Verdict]],
        sink: io.StringIO,
        attempt: int,
        error: AssetflowError,
    ) -> Sequence[Ended]:
        """Return how a task ends that failed; of a batch each partition is tried by itself.

        What was tried as often as it may be as a batch gets one attempt more, alone.
        """
        alone = by_partition(settled).values()
        if len(alone) == 1 or not isinstance(error, StepError):
            return [
                self._failed(step, verdict.reasons, str(error), attempt)
                for step, verdict in settled
            ]
        asset = settled[0][0].target.asset
        said = f"A batch of '{asset}' failed: its {len(alone)} partitions are tried one by one."
        self.listener.message(said)
        sink.write(f"{said}\n{error}\n")
        ended: list[Ended] = []
        for one in alone:
            has_failed = any(each.result.outcome == "failed" for each in ended)
            ended.extend(self._made_alone(one, sink, attempt + 1, has_failed=has_failed))
        return ended

    def _made_alone(
        self,
        settled: Sequence[tuple[Step, Verdict]],
        sink: io.StringIO,
        attempt: int,
        *,
        has_failed: bool,
    ) -> Sequence[Ended]:
        """Compute one partition of a batch that failed, unless the run is to stop."""
        is_over = self._should_stop() or (self.settings.fail_fast and has_failed)
        try:
            if not is_over:
                return self._made(settled, sink, attempt)
        except Cancelled:
            pass  # What was made of the batch before stays told.
        return [self._skipped(step, RunStopped()) for step, _ in settled]

    def _remaining(self, step: Step, made: Made) -> Remaining:
        """Return what is left of what was made when rows that fail are set aside."""
        facts = step.facts
        assert facts is not None
        if not any(one.check.on_failure == QUARANTINE for one in facts.checks):
            return Remaining(made)
        self.knowledge.versions[made.version.version] = made.version
        return SettingAside(self.maker, self.auditor).rest_of(
            step, self._subject(step, Stored(made.version, measured=made.measured)), made
        )

    def _discard_unkept(self, made: Iterable[VersionStored], ended: Iterable[Ended]) -> None:
        """Remove the files of which nothing is kept: all that they hold was there before."""
        kept = {one.version for one in ended}
        paths = {version.path for version in made if version.version in kept}
        unkept = {version.path: version for version in made if version.path not in paths}
        for version in unkept.values():
            self.maker.discard(version)

    def _add_partitions(self, made: Iterable[Made]) -> None:
        """Record the dynamic partitions that a step added, each once, and tell of new ones."""
        for name, keys in dict.fromkeys(one for each in made for one in each.told.partitions):
            new = [key for key in keys if key not in self._dynamic.setdefault(name, set())]
            if not new:
                continue
            self._dynamic[name].update(new)
            change = new_version_id()
            at, run = self.clock(), self.settings.run
            self.journal.append(PartitionsChanged(change, name, tuple(new), (), at, run))
            count = f"{len(new):,} {'partition is' if len(new) == 1 else 'partitions are'}"
            self.listener.message(f"{count} added to '{name}'; the next run makes what is due.")

    @contextmanager
    def _slot(self, pool: str) -> Iterator[None]:
        if not pool:
            yield
            return
        limit = self.settings.pools[pool]
        with pool_slot(self.knowledge.state, pool, limit, self.is_cancelled):
            yield

    def _may_retry(self, retries: Retries, attempt: int, error: AssetflowError) -> bool:
        """Wait before the next attempt, if there is one: exponential back-off with jitter."""
        if attempt > retries.attempts or not isinstance(error, StepError) or self.is_cancelled():
            return False
        longest = min(retries.backoff_seconds * 2 ** (attempt - 1), retries.longest_seconds)
        delay = longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret
        until = time.monotonic() + delay
        while (left := until - time.monotonic()) > 0 and not self.is_cancelled():
            time.sleep(min(left, 0.1))
        return not self.is_cancelled()

    def _kept(
        self, step: Step, verdict: Verdict, left: Remaining, seconds: float, attempt: int
    ) -> Ended:
        """Keep what was made; the published version itself, where the content is the same."""
        last, made = step.last, left.made
        told = made.told.metadata
        stored = Stored(made.version, seconds, told, made.measured, left.asked, left.place)
        outcome: Outcome = "materialized"
        if last is not None and self._is_same(step, last.version, made.version):
            stored, outcome = replace(stored, version=last.version), "unchanged"
            # The column that tells the time may have been declared since it was made first.
            self._record_time(step, last.version)
        else:
            self.journal.append(made.version)
            self._record_time(step, made.version)
            self.knowledge.digest_later(made.version)
            self.knowledge.versions[made.version.version] = made.version
        ended = self._accepted(step, verdict, stored, outcome)
        ended.result = replace(ended.result, attempts=attempt)
        return ended

    def _record_time(self, step: Step, version: VersionStored) -> None:
        """Record how recent a version of a volatile asset is, where a column of it tells."""
        if step.facts is not None and step.facts.is_volatile:
            found = time_of_version(self.knowledge, version)
            if found is not None:
                self.journal.append(found)

    def _is_same(self, step: Step, last: VersionStored, made: VersionStored) -> bool:
        """Whether `made` holds what the published version holds, which is still there."""
        if not self.knowledge.is_there(last) or last.asset != made.asset:
            return False
        if (last.format, last.schema, last.ordered) != (made.format, made.schema, made.ordered):
            return False
        whole = ReadSet(ordered=made.ordered)
        before = self.knowledge.digest_of(step.target.asset, last.version, whole)
        return before == dict(made.digests)[whole]

    def _accepted(self, step: Step, verdict: Verdict, stored: Stored, outcome: Outcome) -> Ended:
        """Let what is `stored` be published, if its audit does not reject it.

        A version that is served already stays so: what it was made from is recorded anew.
        """
        audit = self._audited(step, stored)
        is_served = step.last is not None and step.last.version.version == stored.version.version
        if audit.is_rejected and not is_served:
            return self._rejected(step, verdict, stored, audit)
        made = self._materialized(step, verdict, stored, outcome)
        published = self.knowledge.past.published.get(step.target)
        change = PublicationChange(
            asset=step.target.asset,
            partition=step.target.partition,
            expected=published.sequence if published else 0,
            version=stored.version.version,
            materialization=made.materialization,
        )
        rows, checks = stored.version.rows, audit.outcomes
        result = StepResult(step.target, outcome, verdict.reasons, rows, checks=checks)
        return Ended(result, stored.version.version, change, made)

    def _rejected(self, step: Step, verdict: Verdict, stored: Stored, audit: Audit) -> Ended:
        """Keep a version aside: its key finds it, and nothing else publishes it."""
        made = self._materialized(step, verdict, stored, "rejected")
        reasons = (Rejected(audit.failed), *verdict.reasons)
        rows, checks = stored.version.rows, audit.outcomes
        error = VersionRejected(*step.target, audit.failed, is_served=step.last is not None)
        result = StepResult(step.target, "rejected", reasons, rows, error=str(error), checks=checks)
        return Ended(result, stored.version.version, made=made)

    def _materialized(
        self, step: Step, verdict: Verdict, stored: Stored, outcome: Outcome
    ) -> Materialized:
        """Record what a version was made from."""
        facts = step.facts
        assert facts is not None
        assert verdict.key is not None
        made = Materialized(
            materialization=MaterializationId(new_version_id()),
            run=self.settings.run,
            asset=step.target.asset,
            partition=step.target.partition,
            window=window_of(self._known, step.target),
            version=stored.version.version,
            key=verdict.key,
            code_version=facts.code_version,
            outcome=outcome,
            is_volatile=facts.is_volatile,
            created_at=self.clock(),
            seconds=round(stored.seconds, 4),
            settings=facts.settings,
            inputs=verdict.inputs,
            metadata=stored.metadata,
        )
        self._define(step)
        learned = self._learned.pop(made.version, None)
        if learned is not None:
            # Whoever folds may have seen this journal grow later than the one it came from.
            self.journal.append(learned)
        self.journal.append(made)
        self.knowledge.learn([Candidate(made, stored.version)], is_ours=True)
        return made

    def _define(self, step: Step) -> None:
        """Record the code version of `step`, and its lineage, if it was not the last one."""
        facts = step.facts
        assert facts is not None
        last = step.last
        if last is not None and last.materialization.code_version == facts.code_version:
            return
        asset = self.knowledge.analysis.graph.assets[step.target.asset]
        self.journal.append(
            DefinitionSeen(
                asset=asset.name,
                code_version=facts.code_version,
                kind=asset.kind,
                source=self.knowledge.analysis.source_text(asset),
                parts=facts.parts,
                canonicalizer=self.knowledge.analysis.rules(asset),
                path=str(asset.location),
                seen_at=self.clock(),
            )
        )
        self.journal.append(
            LineageSeen(
                asset=asset.name,
                code_version=facts.code_version,
                upstreams=tuple((use.name, use.upstream) for use in facts.inputs),
                read_sets=tuple((use.name, use.read_set) for use in facts.inputs),
                column_edges=facts.column_edges,
            )
        )

    def _withdrawn(self, step: Step) -> Ended:
        assert step.last is not None
        change = PublicationChange(
            step.target.asset, step.target.partition, step.last.sequence, None, None
        )
        return Ended(StepResult(step.target, "withdrawn", step.reasons), None, change)

    @staticmethod
    def _skipped(step: Step, *reasons: Reason) -> Ended:
        return Ended(StepResult(step.target, "skipped", reasons))

    @staticmethod
    def _failed(step: Step, reasons: tuple[Reason, ...], error: str, attempts: int = 1) -> Ended:
        return Ended(StepResult(step.target, "failed", reasons, error=error, attempts=attempts))

    def record(self, one: Ended, started_at: datetime) -> None:
        """Journal how a step ended; of several records of one step the last counts."""
        result = one.result
        self.journal.append(
            StepFinished(
                run=self.settings.run,
                asset=result.target.asset,
                partition=result.target.partition,
                outcome=result.outcome,
                reasons=tuple((reason.code, str(reason)) for reason in result.reasons),
                started_at=started_at,
                seconds=round(result.seconds, 4),
                rows=result.rows,
                materialization=one.made.materialization if one.made else None,
                error=result.error,
                output=result.output,
                attempts=result.attempts,
            )
        )


def found_candidates(
    records: Iterable[object], versions: dict[VersionId, VersionStored]
) -> Iterator[Candidate]:
    """Yield each materialization in `records` whose version is known, by them or before.

    Versions in `records` are added to `versions`: what points to them may come later.
    """
    for record in records:
        if isinstance(record, VersionStored):
            versions[record.version] = record
        elif isinstance(record, Materialized) and record.version in versions:
            yield Candidate(record, versions[record.version])


def rejected_by(result: StepResult) -> Iterator[AssetName]:
    """Yield the asset whose version was rejected, if that is why a step gave nothing."""
    for reason in result.reasons:
        if isinstance(reason, Rejected | RejectedLastTime):
            yield result.target.asset
        elif isinstance(reason, UpstreamRejected):
            yield AssetName(reason.upstream)
