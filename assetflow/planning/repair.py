"""Find the least that could make a failed check pass: which upstreams can give other data.

Pure. From the columns of a check lineage is followed upward, down to the partition, until
something is met that can give other data: what is stale, or volatile. Of all else the same
code over the same inputs gives the same again, so that to make it anew cannot mend anything.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from assetflow.graph.lineage import VALUE_KINDS, ColumnName
from assetflow.model.names import AssetName, AssetPartition, PartitionKey, folded
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.facts import AssetFacts, InputFacts
from assetflow.planning.plan import Known, plan, stored_targets
from assetflow.planning.reasons import InputChanged, Reason, RepairRequested, UpstreamMayChange
from assetflow.planning.repair_pages import RepairLine, RepairState, RepairUpstream
from assetflow.planning.repair_reasons import (
    BehindNearer,
    CanDiffer,
    OtherPartitions,
    Outdated,
    SameData,
    SourceChanged,
    SourceUnchanged,
    Unrelated,
)
from assetflow.planning.steps import Request, Step
from assetflow.quality.findings import added_up, finding, observed

Columns = frozenset[str] | None
"""Some columns of an asset, folded; None is all of it, and none at all which rows there are."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A check that a version failed, and how often it was tried to mend it.

    `columns` are those that the check reads of the asset; () stands for all. `others` are
    what it reads of other assets. `last_attempt` is when the last attempt was made.
    """

    target: AssetPartition
    outcome: CheckOutcome
    columns: tuple[str, ...] = ()
    others: tuple[tuple[AssetName, tuple[str, ...]], ...] = ()
    attempts: int = 0
    last_attempt: datetime | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that can give other data: why, and the way from it down to the failed check.

    `path` leads from the column that failed to this one; a column "" stands for the rows.
    What `runs_anyway` is stale; all else has to be asked to run again.
    """

    target: AssetPartition
    reason: Reason
    runs_anyway: bool
    path: tuple[ColumnName, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something upstream that is not made again, and why."""

    asset: AssetName
    reason: Reason


@dataclass(frozen=True, slots=True)
class Repair:
    """What would be tried to make one failed check pass. Without remedies, nothing can.

    `scope` is all that would be settled: the remedies, what lies between, and what failed.
    """

    failing: Failing
    remedies: tuple[Remedy, ...]
    left_out: tuple[LeftOut, ...]
    scope: tuple[AssetPartition, ...]


@dataclass(frozen=True, slots=True)
class RepairLimits:
    """How often a repair is tried, and how long it waits after one that did not help."""

    max_attempts: int = 3
    cool_down: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """All repairs that are due, and those that are not.

    `exhausted` were tried as often as they may be: dead letters. `cooling` were tried a
    moment ago, with the instant from which they may be tried again.
    """

    repairs: tuple[Repair, ...] = ()
    exhausted: tuple[Failing, ...] = ()
    cooling: tuple[tuple[Failing, datetime], ...] = ()

    def request(self, settled: Collection[AssetPartition] = ()) -> Request:
        """Return what a run is asked to do: the remedies again, and what follows from them.

        What the run `settled` before is looked at, too: nobody else can know it yet.
        """
        demands: dict[AssetPartition, RepairRequested] = {}
        for repair in self.repairs:
            check, asset = repair.failing.outcome.check, repair.failing.target.asset
            reason = RepairRequested(check, asset)
            for remedy in repair.remedies:
                if not remedy.runs_anyway:
                    demands.setdefault(remedy.target, reason)
        scope = {target for repair in self.repairs if repair.remedies for target in repair.scope}
        if scope:
            scope.update(settled)
        return Request(
            targets=frozenset(target.asset for target in scope),
            exactly=frozenset(scope),
            repairs=demands,
        )


def plan_repairs(
    known: Known,
    failing: Sequence[Failing],
    limits: RepairLimits,
    now: datetime | None,
    settled: Collection[AssetPartition] = (),
) -> RepairPlan:
    """Return what is to be tried for each of `failing`; without `now` none has to cool down.

    What a run `settled` and has not published is not stale, though it may seem so.
    """
    exhausted = tuple(one for one in failing if one.attempts >= limits.max_attempts)
    waiting: dict[Failing, datetime] = {}
    for one in failing:
        if now is not None and one not in exhausted and one.last_attempt is not None:
            until = one.last_attempt + limits.cool_down
            if until > now:
                waiting[one] = until
    due = [one for one in failing if one not in exhausted and one not in waiting]
    return RepairPlan(
        repairs=tuple(find_repair(known, one, settled) for one in due),
        exhausted=exhausted,
        cooling=tuple(waiting.items()),
    )


def repair_lines(planned: RepairPlan, limits: RepairLimits) -> Iterator[RepairLine]:
    """Yield what can be done about each failed check, of all of its partitions together."""
    repairs = [(one.failing, one) for one in planned.repairs]
    nothing = [(one, None) for one in (*planned.exhausted, *(one for one, _ in planned.cooling))]
    until = dict(planned.cooling)
    groups: dict[tuple[AssetName, str, RepairState], list[tuple[Failing, Repair | None]]] = {}
    for failing, repair in (*repairs, *nothing):
        state = _state(failing, repair, until)
        groups.setdefault((failing.target.asset, failing.outcome.check, state), []).append(
            (failing, repair)
        )
    for (asset, _, state), found in groups.items():
        of_all = [repair for _, repair in found if repair is not None]
        waiting = [until[failing] for failing, _ in found if failing in until]
        yield RepairLine(
            asset=asset,
            outcome=_together([failing for failing, _ in found]),
            state=state,
            partitions=tuple(failing.target.partition for failing, _ in found),
            chosen=_chosen(of_all),
            left_out=_left_out(of_all),
            attempts=max(failing.attempts for failing, _ in found),
            max_attempts=limits.max_attempts,
            not_before=max(waiting, default=None),
        )


def _together(failing: Sequence[Failing]) -> CheckOutcome:
    """Return how a check came out of several partitions: rows added up, else of the first."""
    target, outcome = failing[0].target, failing[0].outcome
    answers = [one.outcome.answer for one in failing]
    together = added_up(answers) if len(answers) > 1 else outcome.answer
    if together is None:
        is_same = len({finding(one) for one in answers}) == 1
        where = "" if is_same else f" in {target.partition}"
        together = replace(outcome.answer, observed=f"{observed(outcome.answer)}{where}")
    return replace(outcome, answer=together)


def _state(
    failing: Failing, repair: Repair | None, until: Mapping[Failing, datetime]
) -> RepairState:
    if repair is not None:
        return "repairable" if repair.remedies else "nothing_differs"
    return "cooling_down" if failing in until else "exhausted"


def _chosen(repairs: Iterable[Repair]) -> tuple[RepairUpstream, ...]:
    """Return the remedies of `repairs`, of each asset all partitions together."""
    found: dict[AssetName, tuple[Remedy, dict[PartitionKey, None]]] = {}
    for remedy in (one for repair in repairs for one in repair.remedies):
        _, keys = found.setdefault(remedy.target.asset, (remedy, {}))
        keys[remedy.target.partition] = None
    return tuple(
        RepairUpstream(name, remedy.reason, remedy.path, tuple(keys))
        for name, (remedy, keys) in found.items()
    )


def _left_out(repairs: Iterable[Repair]) -> tuple[RepairUpstream, ...]:
    found = {one.asset: one.reason for repair in repairs for one in repair.left_out}
    return tuple(RepairUpstream(name, reason) for name, reason in found.items())


def find_repair(known: Known, failing: Failing, settled: Collection[AssetPartition] = ()) -> Repair:
    """Return what could make one failed check pass.

    Columns are followed by the values that reach them. Where these lead to nothing that can
    change, or an attempt did not help, what decides rows (joins, filters) is followed too.
    """
    stale = _stale(known, failing, settled)
    if not failing.attempts:
        nearest = _Search(known, failing, stale, settled, by_value=True).searched()
        if nearest.remedies:
            return nearest
    return _Search(known, failing, stale, settled, by_value=False).searched()


def _stale(
    known: Known, failing: Failing, settled: Collection[AssetPartition]
) -> dict[AssetPartition, Step]:
    """Return what is to be made, or taken from what is stored, in any case."""
    names = {failing.target.asset, *(name for name, _ in failing.others)}
    targets = frozenset(name for name in names if name in known.graph.assets)
    return {
        step.target: step
        for step in plan(known, Request(targets=targets)).steps
        if step.action in ("materialize", "reuse") and step.target not in settled
    }


@dataclass(slots=True)
class _Search:
    """One walk up the graph from what failed, the assets nearest to it first.

    `wanted` has the columns that matter of each partition that was met, `below` the one
    through which it was met first.
    """

    known: Known
    failing: Failing
    stale: Mapping[AssetPartition, Step]
    settled: Collection[AssetPartition]
    by_value: bool
    wanted: dict[AssetPartition, Columns] = field(default_factory=dict)
    below: dict[AssetPartition, AssetPartition] = field(default_factory=dict)
    remedies: list[Remedy] = field(default_factory=list)
    left_out: dict[AssetName, Reason] = field(default_factory=dict)

    def searched(self) -> Repair:
        """Return what was found."""
        failing = self.failing
        self.wanted[failing.target] = _folded(failing.columns) if failing.columns else None
        for name, columns in failing.others:
            for target in self._there(name):
                self._want(target, _folded(columns), failing.target)
        for name in reversed(tuple(self.known.graph.assets)):
            for target in [one for one in self.wanted if one.asset == name]:
                self._consider(target)
        for target in self.wanted:
            if target.asset in self.known.graph.sources:
                self._leave(target.asset, self._why_not(target))
        self._leave_farther()
        remedied = {remedy.target.asset for remedy in self.remedies}
        return Repair(
            failing=failing,
            remedies=tuple(self.remedies),
            left_out=tuple(
                LeftOut(name, why) for name, why in self.left_out.items() if name not in remedied
            ),
            scope=self._scope(),
        )

    def _there(self, name: AssetName) -> Iterator[AssetPartition]:
        """Yield what a check could read of another asset: of partitions, those that are made."""
        keys = self.known.slices.keys[name]
        for key in keys:
            target = AssetPartition(name, key)
            if keys.partitions is None or target in self.known.current or target in self.settled:
                yield target

    def _want(self, target: AssetPartition, columns: Columns, below: AssetPartition) -> None:
        before = self.wanted.get(target, frozenset())
        both = None if columns is None or before is None else before | columns
        self.wanted[target] = both
        self.below.setdefault(target, below)

    def _leave(self, name: AssetName, why: Reason) -> None:
        self.left_out.setdefault(name, why)

    def _leave_farther(self) -> None:
        """Say of what could differ, too, that something nearer is tried first."""
        for remedy in self.remedies:
            for name in sorted(self.known.graph.all_upstream([remedy.target.asset])):
                if name in self.known.facts and self._can_differ(name):
                    self._leave(name, BehindNearer(remedy.target.asset))

    def _can_differ(self, name: AssetName) -> bool:
        is_stale = any(target.asset == name for target in self.stale)
        return is_stale or self.known.facts[name].is_volatile

    def _consider(self, target: AssetPartition) -> None:
        facts = self.known.facts[target.asset]
        step = self.stale.get(target)
        if step is not None and self._is_firm(step):
            self._add(target, self._staleness(step), runs_anyway=True)
        elif facts.is_volatile:
            self._add(target, CanDiffer(), runs_anyway=False)
        else:
            for use in facts.inputs:
                self._climb(target, facts, use)
            if target != self.failing.target:
                is_elsewhere = any(one.asset == target.asset for one in self.stale)
                self._leave(target.asset, OtherPartitions() if is_elsewhere else SameData())

    def _is_firm(self, step: Step) -> bool:
        """Whether a step gives other data by itself: what failed was made, so its key tells.

        To ask the checks of a stored version again is not to make it.
        """
        if step.target == self.failing.target:
            return step.verdict.key is not None and not step.verdict.to_audit
        return not all(isinstance(reason, UpstreamMayChange) for reason in step.reasons)

    def _staleness(self, step: Step) -> Reason:
        """Return why a step runs anyway: the source that changed, where that is all."""
        reason = step.reasons[0]
        if isinstance(reason, InputChanged) and reason.input in self.known.graph.sources:
            return SourceChanged(reason.input)
        return Outdated(str(reason))

    def _add(self, target: AssetPartition, reason: Reason, *, runs_anyway: bool) -> None:
        path = tuple(map(self._named, self._way(target)))
        self.remedies.append(Remedy(target, reason, runs_anyway, path[::-1]))

    def _climb(self, target: AssetPartition, facts: AssetFacts, use: InputFacts) -> None:
        """Go on with those columns of an input that reach the wanted ones of `target`."""
        columns = reaching(facts, use, self.wanted[target], by_value=self.by_value)
        if self.by_value and columns is not None and not columns and use.read_set.columns != ():
            self._leave(use.upstream, Unrelated(self._columns(target)))
            return
        for upstream in stored_targets(self.known.slices, target, use):
            self._want(upstream, columns, target)

    def _columns(self, target: AssetPartition) -> tuple[str, ...]:
        names = sorted(self.wanted[target] or ())
        return tuple(f"{target.asset}.{name}" for name in names) or (str(target.asset),)

    def _named(self, target: AssetPartition) -> ColumnName:
        """Return the first column that matters of `target`."""
        return ColumnName(target.asset, min(self.wanted[target] or [""]))

    def _why_not(self, target: AssetPartition) -> Reason:
        """Return why the source `target` gives nothing else: who reads it would be stale."""
        unknown = self.known.unknown
        reason = unknown.get(target) or unknown.get(AssetPartition(target.asset))
        return reason or SourceUnchanged()

    def _way(self, target: AssetPartition) -> Iterator[AssetPartition]:
        """Yield the way from `target` down to what failed, both included."""
        yield target
        while target != self.failing.target:
            target = self.below[target]
            yield target

    def _scope(self) -> tuple[AssetPartition, ...]:
        """Return all on the ways between the remedies and what failed, upstream first.

        Every way counts, not the first alone: what reads a remedy has to settle.
        """
        found = {self.failing.target, *(one.target for one in self.remedies)}
        asked: list[AssetPartition] = []
        for name in self.known.graph.assets:
            for target in [one for one in self.wanted if one.asset == name]:
                if target in found or self._reads_one_of(target, found):
                    found.add(target)
                    asked.append(target)
        return tuple(asked)

    def _reads_one_of(self, target: AssetPartition, found: Collection[AssetPartition]) -> bool:
        facts = self.known.facts[target.asset]
        return any(
            upstream in found
            for use in facts.inputs
            for upstream in stored_targets(self.known.slices, target, use)
        )


def reaching(
    facts: AssetFacts, use: InputFacts, wanted: Columns, *, by_value: bool = False
) -> Columns:
    """Return the columns of an input that reach the `wanted` ones of what `facts` are of.

    By value only, or by deciding rows as well, which alone matters where no column is
    wanted. What a function does is not known: there all that is read reaches everything.
    """
    if not facts.column_edges or wanted is None:
        return None if use.read_set.columns is None else _folded(use.read_set.columns)
    edges = [edge for edge in facts.column_edges if edge.input == use.name]
    if by_value and wanted:
        edges = [edge for edge in edges if edge.target and edge.kind in VALUE_KINDS]
    return _folded(
        edge.column for edge in edges if not edge.target or folded(edge.target) in wanted
    )


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(folded, names))
