"""Find the least that could make a failed check pass: which upstreams can give other data.

Pure. From the columns of a check lineage is followed upward, down to the partition, until
something is met that can give other data: what is stale, or volatile. Of all else the same
code over the same inputs gives the same again, so that to make it anew cannot mend anything.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from assetflow.graph.lineage import VALUE_KINDS
from assetflow.model.names import AssetName, AssetPartition, folded
from assetflow.planning.facts import AssetFacts, InputFacts
from assetflow.planning.plan import Known, plan, stored_targets
from assetflow.planning.reasons import RepairRequested, UpstreamMayChange
from assetflow.planning.steps import Request, Step

Columns = frozenset[str] | None
"""Some columns of an asset, folded; None is all of it, and none at all which rows there are."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A check that a version failed, and how often it was tried to mend it.

    `columns` are those that the check reads of the asset; () stands for all. `others` are
    what it reads of other assets. `last_attempt` is when the last attempt ended.
    """

    target: AssetPartition
    check: str
    columns: tuple[str, ...] = ()
    others: tuple[tuple[AssetName, tuple[str, ...]], ...] = ()
    attempts: int = 0
    last_attempt: datetime | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that can give other data: why, and the way from it down to the failed check.

    `path` names assets, the failed one last. What `runs_anyway` is stale; all else has to
    be asked to run again.
    """

    target: AssetPartition
    why: str
    runs_anyway: bool
    path: tuple[AssetName, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something upstream that is not made again, and why."""

    asset: AssetName
    why: str


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

    @property
    def request(self) -> Request:
        """Return what a run is asked to do: the remedies again, and what follows from them."""
        demands: dict[AssetPartition, RepairRequested] = {}
        for repair in self.repairs:
            reason = RepairRequested(repair.failing.check, repair.failing.target.asset)
            for remedy in repair.remedies:
                if not remedy.runs_anyway:
                    demands.setdefault(remedy.target, reason)
        scope = {target for repair in self.repairs if repair.remedies for target in repair.scope}
        return Request(
            targets=frozenset(target.asset for target in scope),
            exactly=frozenset(scope),
            repairs=demands,
        )


def plan_repairs(
    known: Known, failing: Sequence[Failing], limits: RepairLimits, now: datetime | None
) -> RepairPlan:
    """Return what is to be tried for each of `failing`; without `now` none has to cool down."""
    exhausted = tuple(one for one in failing if one.attempts >= limits.max_attempts)
    waiting: dict[Failing, datetime] = {}
    for one in failing:
        if now is not None and one not in exhausted and one.last_attempt is not None:
            until = one.last_attempt + limits.cool_down
            if until > now:
                waiting[one] = until
    due = [one for one in failing if one not in exhausted and one not in waiting]
    return RepairPlan(
        repairs=tuple(find_repair(known, one) for one in due),
        exhausted=exhausted,
        cooling=tuple(waiting.items()),
    )


def find_repair(known: Known, failing: Failing) -> Repair:
    """Return what could make one failed check pass.

    Columns are followed by the values that reach them. Where these lead to nothing that can
    change, or an attempt did not help, what decides rows (joins, filters) is followed too.
    """
    stale = _stale(known, failing)
    if not failing.attempts:
        nearest = _Search(known, failing, stale, by_value=True).searched()
        if nearest.remedies:
            return nearest
    return _Search(known, failing, stale, by_value=False).searched()


def _stale(known: Known, failing: Failing) -> dict[AssetPartition, Step]:
    """Return what is to be made, or taken from what is stored, in any case."""
    names = {failing.target.asset, *(name for name, _ in failing.others)}
    targets = frozenset(name for name in names if name in known.graph.assets)
    return {
        step.target: step
        for step in plan(known, Request(targets=targets)).steps
        if step.action in ("materialize", "reuse")
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
    by_value: bool
    wanted: dict[AssetPartition, Columns] = field(default_factory=dict)
    below: dict[AssetPartition, AssetPartition] = field(default_factory=dict)
    remedies: list[Remedy] = field(default_factory=list)
    left_out: dict[AssetName, str] = field(default_factory=dict)

    def searched(self) -> Repair:
        """Return what was found."""
        failing = self.failing
        self.wanted[failing.target] = _folded(failing.columns) if failing.columns else None
        for name, columns in failing.others:
            for key in self.known.slices.keys[name]:
                self._want(AssetPartition(name, key), _folded(columns), failing.target)
        for name in reversed(tuple(self.known.graph.assets)):
            for target in [one for one in self.wanted if one.asset == name]:
                self._consider(target)
        for target in self.wanted:
            if target.asset in self.known.graph.sources:
                self._leave(target.asset, self._why_not(target))
        remedied = {remedy.target.asset for remedy in self.remedies}
        return Repair(
            failing=failing,
            remedies=tuple(self.remedies),
            left_out=tuple(
                LeftOut(name, why) for name, why in self.left_out.items() if name not in remedied
            ),
            scope=self._scope(),
        )

    def _want(self, target: AssetPartition, columns: Columns, below: AssetPartition) -> None:
        before = self.wanted.get(target, frozenset())
        both = None if columns is None or before is None else before | columns
        self.wanted[target] = both
        self.below.setdefault(target, below)

    def _leave(self, name: AssetName, why: str) -> None:
        self.left_out.setdefault(name, why)

    def _consider(self, target: AssetPartition) -> None:
        facts = self.known.facts[target.asset]
        step = self.stale.get(target)
        if step is not None and not _only_waits(step):
            self._add(target, str(step.reasons[0]), runs_anyway=True)
        elif facts.is_volatile:
            self._add(target, "it can give other data from the same inputs", runs_anyway=False)
        elif not facts.inputs:
            self._leave(target.asset, "it reads nothing, and gives the same again")
        else:
            for use in facts.inputs:
                self._climb(target, facts, use)
            if target != self.failing.target:
                self._leave(target.asset, "the same code and inputs give the same again")

    def _add(self, target: AssetPartition, why: str, *, runs_anyway: bool) -> None:
        path = tuple(one.asset for one in self._way(target))
        self.remedies.append(Remedy(target, why, runs_anyway, path))

    def _climb(self, target: AssetPartition, facts: AssetFacts, use: InputFacts) -> None:
        """Go on with those columns of an input that reach the wanted ones of `target`."""
        columns = reaching(facts, use, self.wanted[target], by_value=self.by_value)
        if self.by_value and columns is not None and not columns and use.read_set.columns != ():
            self._leave(use.upstream, f"no column of it reaches {self._named(target)}")
            return
        for upstream in stored_targets(self.known.slices, target, use):
            self._want(upstream, columns, target)

    def _named(self, target: AssetPartition) -> str:
        columns = self.wanted[target]
        names = [f"{target.asset}.{name}" for name in sorted(columns or ())]
        return f"'{', '.join(names) or target.asset}'"

    def _why_not(self, target: AssetPartition) -> str:
        """Return why the source `target` gives nothing else: who reads it would be stale."""
        unknown = self.known.unknown
        reason = unknown.get(target) or unknown.get(AssetPartition(target.asset))
        if reason is not None:
            return f"it cannot be observed: {reason.problem}"
        owners = ", ".join(self.known.graph.sources[target.asset].owners)
        whose = f"; its owners are {owners}" if owners else ""
        return f"the source has nothing newer than what was read{whose}"

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


def _only_waits(step: Step) -> bool:
    return all(isinstance(reason, UpstreamMayChange) for reason in step.reasons)


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
