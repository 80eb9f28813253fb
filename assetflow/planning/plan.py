"""Decide what to materialize, and say why. Pure: no clock, no files, no database."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from assetflow.graph.graph import AssetGraph
from assetflow.graph.mapping import Shifted, is_slice
from assetflow.model.names import WHOLE, AssetName, AssetPartition, PartitionKey, VersionId
from assetflow.model.partitions import KeySet
from assetflow.planning.audits import Audited, CheckRead
from assetflow.planning.facts import AssetFacts, InputFacts
from assetflow.planning.history import Candidate, History, Publication
from assetflow.planning.judge import Evidence, Read, Situation, is_final, judge
from assetflow.planning.reach import Slices
from assetflow.planning.reasons import (
    CheckChanged,
    Forced,
    NotSelected,
    Overdue,
    Reason,
    RefreshRequested,
    RejectedLastTime,
    RepairRequested,
    Reused,
    SourceUnknown,
    UpstreamMayChange,
    UpstreamMissing,
    UpstreamRejected,
    Withdrawn,
    by_weight,
)
from assetflow.planning.steps import Plan, Request, Step, Verdict, ranges_of
from assetflow.planning.terms import OtherRead, met, terms_of, token_of
from assetflow.planning.wanted import wanted_partitions

DEMANDS = (Forced, RefreshRequested, RepairRequested)
"""Reasons that somebody gave: they hold whatever the key says."""

RUNNING = ("materialize", "may_materialize")
"""What a step does that may compute something."""

Current = Mapping[AssetPartition, VersionId]
"""The version of each partition, or the state of each source, that can be read."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that a plan is made from, but for the request.

    `facts` has every asset of the graph. `reach` are the partitions that may need
    something: all others are up to date, and stay so. `current` has what these read, the
    observed states of sources included. `obsolete` is published and declared no more.
    `unknown` are sources and partitions of sources that cannot be observed. `notes` are
    what a plan says of sources. Of the `unaudited` assets all partitions together have not
    met their checks. `done` was made by this run already: what it made is to be published.
    """

    environment: str
    slices: Slices
    facts: Mapping[AssetName, AssetFacts]
    evidence: Evidence
    current: Current
    reach: Mapping[AssetName, Collection[PartitionKey]]
    obsolete: tuple[AssetPartition, ...] = ()
    unknown: Mapping[AssetPartition, SourceUnknown] = field(default_factory=dict)
    notes: tuple[tuple[AssetName, str], ...] = ()
    unaudited: Collection[AssetName] = ()
    done: Collection[AssetPartition] = ()

    @property
    def graph(self) -> AssetGraph:
        """Return how the assets relate."""
        return self.slices.graph

    @property
    def history(self) -> History:
        """Return what is known of the past."""
        return self.evidence.history


def plan(known: Known, request: Request) -> Plan:
    """Return the steps that bring what `request` asks for up to date, upstream first."""
    walk = _Walk(known, request, dict(known.current))
    wanted = wanted_partitions(known.slices, request)
    for name in known.graph.assets:
        if name in wanted:
            walk.look_at(name, wanted[name])
    return walk.planned()


@dataclass(slots=True)
class _Walk:
    """One walk down the graph.

    `current`, `pending` and `unknown` are what those downstream will find: a version, a
    wait, or something that is made from a source which cannot be observed. `rejected` will
    not be made again; it names the asset whose version was rejected.
    """

    known: Known
    request: Request
    current: dict[AssetPartition, VersionId]
    pending: set[AssetPartition] = field(default_factory=set)
    unknown: dict[AssetPartition, tuple[SourceUnknown, ...]] = field(default_factory=dict)
    rejected: dict[AssetPartition, AssetName] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    notes: dict[tuple[AssetName, str], None] = field(default_factory=dict)
    left: dict[AssetPartition, None] = field(default_factory=dict)
    keys: dict[AssetName, KeySet] = field(default_factory=dict)
    up_to_date: int = 0

    def look_at(self, name: AssetName, wanted: Collection[PartitionKey]) -> None:
        """Decide about those of the `wanted` partitions of `name` that may need something."""
        self.keys[name] = self.known.slices.keys[name]
        keys = [key for key in self.known.reach.get(name, ()) if key in wanted]
        self.up_to_date += len(wanted) - len(keys)
        found = [
            step
            for key in keys
            if (step := self._considered(AssetPartition(name, key))) is not None
        ]
        found = list(self._unless_rejected(name, found))
        runs = not self.request.only or name in self._selected()
        for step in [*self._capped(found), *self._whole(name, found)]:
            self._follow(step, runs=runs)
            self._keep(step, runs=runs)

    def _unless_rejected(self, name: AssetName, found: Sequence[Step]) -> Iterator[Step]:
        """Yield `found`; blocked where it would publish again what failed as a whole before."""
        audited = self._newest_whole(name, found) if self.known.facts[name].whole else None
        if audited is None or not is_final(audited, self.known.facts[name].whole):
            yield from found
            return
        for step in found:
            new = _new_version(step)
            yield step if new is None else _blocked(step, RejectedLastTime(new, audited.failed))

    def _newest_whole(self, name: AssetName, found: Sequence[Step]) -> Audited | None:
        """Return the newest audit of all partitions as they would be, if all of that is known."""
        new = {
            step.target: version for step in found if (version := _new_version(step)) is not None
        }
        is_open = any(step.verdict.to_audit or step.verdict.action in RUNNING for step in found)
        if is_open or not new:
            return None
        versions = {**self.current, **new}
        targets = [AssetPartition(name, key) for key in self.known.slices.keys[name]]
        there = {one.partition: versions[one] for one in targets if one in versions}
        token = VersionId(token_of(there.keys(), there.values()))
        known = self.known.history.audits.get(token, ())
        facts = replace(self.known.facts[name], checks=self.known.facts[name].whole)
        others = others_of(self.known, facts, AssetPartition(name), self.current, self.pending)
        if not known or any(one.is_pending for one in others):
            return None
        return met(known, terms_of(facts.checks, others, self.known.evidence.digest_of))

    def _whole(self, name: AssetName, found: Sequence[Step]) -> Iterator[Step]:
        """Yield a step for the audit of all partitions together, where nothing else is done.

        It is one of the last partition that is published; the run audits the rest with it.
        """
        facts = self.known.facts[name]
        if not facts.whole or any(step.verdict.action is not None for step in found):
            return
        whole = replace(facts, checks=facts.whole)
        others = others_of(self.known, whole, AssetPartition(name), self.current, self.pending)
        pending = dict.fromkeys(one.read.upstream for one in others if one.is_pending)
        if name not in self.known.unaudited and not pending:
            return
        published = self.known.history.published
        targets = (AssetPartition(name, key) for key in reversed(self.known.slices.keys[name]))
        last = next((published[target] for target in targets if target in published), None)
        if last is not None:
            self.up_to_date -= 1
            waiting = tuple(UpstreamMayChange(other) for other in pending)
            reasons = waiting or (CheckChanged(tuple(one.check.name for one in facts.whole)),)
            candidate = Candidate(last.materialization, last.version)
            target = AssetPartition(name, last.materialization.partition)
            yield Step(target, Verdict("check", reasons, candidate=candidate), facts, last)

    def _selected(self) -> Collection[AssetName]:
        targets = self.request.targets
        return self.known.graph.assets.keys() if targets is None else targets

    def _considered(self, target: AssetPartition) -> Step | None:
        """Return the step of `target`; None if what it reads is left for another time."""
        known, name = self.known, target.asset
        facts = known.facts[name]
        if self.left and self._reads_left(target, facts):
            self.left[target] = None
            return None
        last, renamed_from = last_publication(known, target)
        demands: tuple[Reason, ...] = ()
        if name in self._selected() and target not in known.done:
            demands = _demands(self.request, facts, target)
        asked_by = _asked_by(self.request, name)
        situation = Situation(
            target=target,
            facts=facts,
            last=last,
            reads=self._reads(facts, target),
            window=window_of(known, target),
            demands=demands,
            renamed_from=renamed_from,
            others=others_of(known, facts, target, self.current, self.pending),
            is_done=target in known.done,
        )
        verdict = self._stopped(judge(situation, known.evidence), facts, target)
        verdict = _for(asked_by, verdict)
        return Step(target, verdict, facts, last)

    def _stopped(self, verdict: Verdict, facts: AssetFacts, target: AssetPartition) -> Verdict:
        """Return that nothing is made of what was rejected and will not be made again."""
        if not self.rejected or verdict.action in (None, "verify", "check"):
            return verdict
        slices = self.known.slices
        stopping = [
            UpstreamRejected(self.rejected[one])
            for use in facts.reads
            for one in stored_targets(slices, target, use)
            if one in self.rejected and (use.mapping.blocks or one not in self.current)
        ]
        if not stopping:
            return verdict
        others = (one for one in verdict.reasons if not isinstance(one, UpstreamMissing))
        return Verdict("blocked", (*dict.fromkeys(stopping), *others))

    def _reads(self, facts: AssetFacts, target: AssetPartition) -> tuple[Read, ...]:
        reads = reads_of(self.known, facts, target, self.current, self.pending)
        if not self.unknown:
            return reads
        return tuple(
            replace(read, unknown=(*read.unknown, *self._unknown(read.use, target)))
            for read in reads
        )

    def _unknown(self, use: InputFacts, target: AssetPartition) -> tuple[SourceUnknown, ...]:
        wanted = stored_targets(self.known.slices, target, use)
        return tuple(reason for one in wanted for reason in self.unknown.get(one, ()))

    def _reads_left(self, target: AssetPartition, facts: AssetFacts) -> bool:
        return any(
            use.mapping.blocks and upstream in self.left
            for use in facts.reads
            for upstream in stored_targets(self.known.slices, target, use)
        )

    def _capped(self, steps: list[Step]) -> Iterator[Step]:
        """Yield `steps`; of those that run only the newest, as many as were asked for."""
        most = self.request.max_partitions
        running = [step.target for step in steps if step.verdict.action in RUNNING]
        surplus = set() if most is None else set(running[: max(len(running) - most, 0)])
        for step in steps:
            if step.target in surplus:
                self.left[step.target] = None
            else:
                yield step

    def _follow(self, step: Step, *, runs: bool) -> None:
        """Note what those downstream of `step` will find: a version, a wait, or nothing."""
        verdict, unknown = step.verdict, _unknown_sources(step)
        if runs and unknown:
            self.unknown[step.target] = unknown
        elif runs and (verdict.to_audit or verdict.action in RUNNING):
            self.pending.add(step.target)
        elif runs and verdict.action in ("reuse", "verify") and verdict.candidate is not None:
            self.current[step.target] = verdict.candidate.version.version
        elif step.last is not None and step.last.materialization.asset == step.target.asset:
            self.current[step.target] = step.last.version.version
        if runs and verdict.action == "blocked":
            self.rejected.update((step.target, name) for name in _rejected_by(step))

    def _keep(self, step: Step, *, runs: bool) -> None:
        name, action = step.target.asset, step.verdict.action
        if not runs:
            if action not in (None, "verify"):
                self._note_downstream(step)
        elif action is None:
            self.up_to_date += 1
        else:
            self.steps.append(step)
        if step.facts is not None and action is not None:
            self.notes.update(dict.fromkeys((name, note) for note in step.facts.notes))

    def _note_downstream(self, step: Step) -> None:
        """Say of an asset that is not selected why what is made from it may be behind."""
        name = step.target.asset
        reasons = _unknown_sources(step) or (NotSelected(name),)
        for other in self.known.graph.downstreams.get(name, ()):
            if other in self._selected():
                self.notes.update(dict.fromkeys((other, str(reason)) for reason in reasons))

    def planned(self) -> Plan:
        """Return what was decided."""
        if self.request.is_everything:
            self.steps.extend(_withdrawals(self.known))
        steps = _linked(self.steps, self.known)
        return Plan(
            environment=self.known.environment,
            steps=steps,
            up_to_date=self.up_to_date,
            notes=(*self.known.notes, *self.notes),
            left=tuple(self.left),
            keys=self.keys,
            for_policies=self.request.overdue is not None,
        )


def _new_version(step: Step) -> VersionId | None:
    """Return the version that a step publishes without making it, if readers see another now."""
    candidate, last = step.verdict.candidate, step.last
    if step.verdict.action != "reuse" or candidate is None:
        return None
    new = candidate.version.version
    return new if last is None or last.version.version != new else None


def _blocked(step: Step, rejected: RejectedLastTime) -> Step:
    """Return `step` stopped by what came of the same version before, which is not reused."""
    others = (reason for reason in step.verdict.reasons if not isinstance(reason, Reused))
    return replace(
        step, verdict=replace(step.verdict, action="blocked", reasons=(rejected, *others))
    )


def _unknown_sources(step: Step) -> tuple[SourceUnknown, ...]:
    return tuple(reason for reason in step.verdict.reasons if isinstance(reason, SourceUnknown))


def _rejected_by(step: Step) -> Iterator[AssetName]:
    """Yield the asset whose rejected version stops those downstream of `step`, if one does."""
    for reason in step.verdict.reasons:
        if isinstance(reason, RejectedLastTime):
            yield step.target.asset
        elif isinstance(reason, UpstreamRejected):
            yield AssetName(reason.upstream)


def others_of(
    known: Known,
    facts: AssetFacts,
    target: AssetPartition,
    current: Current,
    pending: Collection[AssetPartition] = (),
) -> tuple[OtherRead, ...]:
    """Return what the checks of `target` would read of other assets."""
    return tuple(
        _other(known, check.check.name, read, target, current, pending)
        for check in facts.checks
        for read in check.reads
    )


def _other(
    known: Known,
    check: str,
    read: CheckRead,
    target: AssetPartition,
    current: Current,
    pending: Collection[AssetPartition],
) -> OtherRead:
    wanted = audited_targets(known.slices, target, read)
    there = [one for one in wanted if one in current]
    return OtherRead(
        check=check,
        read=read,
        partitions=tuple(one.partition for one in there),
        versions=tuple(current[one] for one in there),
        is_pending=any(one in pending for one in wanted),
    )


def audited_targets(
    slices: Slices, target: AssetPartition, read: CheckRead
) -> tuple[AssetPartition, ...]:
    """Return what a check of `target` reads of another asset."""
    keys = (target.partition,) if read.is_aligned else slices.keys[read.upstream]
    return tuple(AssetPartition(read.upstream, key) for key in keys)


def reads_of(
    known: Known,
    facts: AssetFacts,
    target: AssetPartition,
    current: Current,
    pending: Collection[AssetPartition] = (),
) -> tuple[Read, ...]:
    """Return what `target` would read of each of its inputs."""
    return tuple(_read(known, use, target, current, pending) for use in facts.reads)


def _read(
    known: Known,
    use: InputFacts,
    target: AssetPartition,
    current: Current,
    pending: Collection[AssetPartition],
) -> Read:
    wanted = stored_targets(known.slices, target, use)
    there = [one for one in wanted if one in current]
    is_pending = any(one in pending for one in wanted)
    absent = [one.partition for one in wanted if one not in current and one not in pending]
    is_missing = bool(absent) and (use.mapping.blocks or len(absent) == len(wanted))
    missing = _ranges(known.slices, use.upstream, absent) if is_missing else ()
    if not wanted and _is_awaited(known, use):
        is_missing, missing = True, (target.partition,)
    partitions = tuple(one.partition for one in there)
    return Read(
        use=use,
        partitions=(target.partition,) if is_slice(use.mapping) else partitions,
        versions=tuple(current[one] for one in there),
        is_pending=is_pending,
        is_missing=is_missing,
        missing=missing,
        unknown=_unknown_of(known, use, wanted),
    )


def _is_awaited(known: Known, use: InputFacts) -> bool:
    """Whether what an input has nothing of is a file that may still come."""
    source = known.graph.sources.get(use.upstream)
    return source is not None and source.finds_keys and not isinstance(use.mapping, Shifted)


def _unknown_of(
    known: Known, use: InputFacts, wanted: tuple[AssetPartition, ...]
) -> tuple[SourceUnknown, ...]:
    """Return which of `wanted` cannot be observed, or that the source as a whole cannot."""
    if not known.unknown:
        return ()
    found = (known.unknown.get(one) for one in (AssetPartition(use.upstream), *wanted))
    return tuple(dict.fromkeys(reason for reason in found if reason is not None))


def _ranges(slices: Slices, name: AssetName, keys: list[PartitionKey]) -> tuple[str, ...]:
    if keys == [WHOLE]:
        return ()
    return tuple(map(str, ranges_of(slices.keys[name], keys)))


def stored_targets(
    slices: Slices, target: AssetPartition, use: InputFacts
) -> tuple[AssetPartition, ...]:
    """Return what the store calls that which `target` reads of an input; cut or whole."""
    if is_slice(use.mapping):
        return (AssetPartition(use.upstream),)
    own, others = slices.keys[target.asset], slices.keys[use.upstream]
    keys = use.mapping.reads(target.partition, own, others)
    return tuple(AssetPartition(use.upstream, key) for key in keys)


def window_of(known: Known, target: AssetPartition) -> str:
    """Return the time that `target` covers as its trace records it, "" for none."""
    window = known.slices.keys[target.asset].window(target.partition)
    return window.text if window else ""


def last_publication(
    known: Known, target: AssetPartition
) -> tuple[Publication | None, AssetName | None]:
    """Return what is published of `target`, or of the asset that it was renamed from."""
    own = known.history.published.get(target)
    old = known.graph.assets[target.asset].options.renamed_from
    if own is not None or not old or old in known.graph.assets:
        return own, None
    earlier = known.history.published.get(AssetPartition(AssetName(old), target.partition))
    return (earlier, AssetName(old)) if earlier is not None else (None, AssetName(old))


def _demands(request: Request, facts: AssetFacts, target: AssetPartition) -> tuple[Reason, ...]:
    forced = (Forced(),) if request.force else ()
    repaired = (request.repairs[target],) if target in request.repairs else ()
    if not facts.is_volatile:
        return (*repaired, *forced)
    refreshed = (RefreshRequested(),) if request.refresh else ()
    return (*repaired, *_asked_by(request, facts.asset), *refreshed, *forced)


def _asked_by(request: Request, name: AssetName) -> tuple[Overdue, ...]:
    """Return the policies for which an asset is looked at."""
    found = (request.overdue or {}).get(name)
    return found.reasons if found else ()


def _for(asked_by: tuple[Overdue, ...], verdict: Verdict) -> Verdict:
    """Return `verdict` with the policies that need what it does, where it does something."""
    if not asked_by or verdict.action not in (*RUNNING, "reuse"):
        return verdict
    return replace(verdict, reasons=by_weight((*verdict.reasons, *asked_by)))


def demanded(
    slices: Slices, facts: Mapping[AssetName, AssetFacts], request: Request
) -> dict[AssetName, Collection[PartitionKey]]:
    """Return the partitions that run, or ran, because `request` says so, whatever their state."""
    is_demanding = request.force or request.refresh or request.repairs or request.done
    if not is_demanding and request.overdue is None:
        return {}
    wanted = wanted_partitions(slices, request)
    selected = wanted.keys() if request.targets is None else request.targets

    def is_demanded(target: AssetPartition) -> bool:
        is_selected = target.asset in selected
        demands = _demands(request, facts[target.asset], target) if is_selected else ()
        return bool(demands) or target in request.done

    found = {
        name: [key for key in keys if is_demanded(AssetPartition(name, key))]
        for name, keys in wanted.items()
    }
    return {name: keys for name, keys in found.items() if keys}


def _withdrawals(known: Known) -> Iterator[Step]:
    for target in sorted(known.obsolete):
        publication = known.history.published[target]
        yield Step(target, Verdict("withdraw", (Withdrawn(),)), None, publication)


def _linked(steps: list[Step], known: Known) -> tuple[Step, ...]:
    """Return `steps` with each knowing which others it waits on."""
    planned: dict[AssetName, dict[AssetPartition, None]] = {}
    for step in steps:
        if step.action != "withdraw":
            planned.setdefault(step.target.asset, {})[step.target] = None
    absent = {
        step.target for step in steps if step.action == "blocked" and not _unknown_sources(step)
    }
    return tuple(
        replace(
            step,
            waits_on=tuple(_waits(step, known, planned, absent)),
            before_audit=tuple(_before_audit(step, known, planned)),
        )
        if step.facts
        else step
        for step in steps
    )


def _before_audit(
    step: Step, known: Known, planned: Mapping[AssetName, Mapping[AssetPartition, None]]
) -> Iterator[AssetPartition]:
    """Yield the `planned` targets that the checks of `step` read, each once."""
    assert step.facts is not None
    reads = {read for check in step.facts.checks for read in check.reads}
    if any(read.upstream in planned for read in reads):
        found = (one for read in reads for one in audited_targets(known.slices, step.target, read))
        yield from (one for one in dict.fromkeys(found) if one in planned.get(one.asset, ()))


def _waits(
    step: Step,
    known: Known,
    planned: Mapping[AssetName, Mapping[AssetPartition, None]],
    absent: Collection[AssetPartition],
) -> Iterator[AssetPartition]:
    """Yield the `planned` targets that `step` reads; not the `absent`, where it can do without.

    Of these it reads what is published, if anything is. What does not run can do without.
    Where it reads no partition of an upstream, it still has to know the columns: if only
    a version tells them, it waits for one.
    """
    assert step.facts is not None
    runs = step.action not in ("verify", "check")
    found: dict[AssetPartition, None] = {}
    for use in step.facts.reads:
        others = planned.get(use.upstream, {})
        wanted = stored_targets(known.slices, step.target, use)
        found.update(
            (one, None)
            for one in wanted
            if one in others and (one not in absent or (use.mapping.blocks and runs))
        )
        if not wanted and others and known.facts[use.upstream].schema is None:
            found.update((one, None) for one in [one for one in others if one not in absent][:1])
    return iter(found)


def settle(known: Known, step: Step, facts: AssetFacts, current: Current) -> Verdict:
    """Decide `step` again, now that its upstreams are known: run, reuse, verify or nothing.

    `facts` are computed from the schemas of the versions in `current`, which the step
    will really read. This is early cutoff: what was provisional becomes a reason or none.
    """
    asked_by = tuple(r for r in step.reasons if isinstance(r, Overdue))
    is_asked = facts.is_volatile and step.target not in known.done
    demands: tuple[Reason, ...] = asked_by if is_asked else ()
    demands += tuple(r for r in step.reasons if isinstance(r, DEMANDS))
    last, renamed_from = last_publication(known, step.target)
    situation = Situation(
        target=step.target,
        facts=facts,
        last=last,
        reads=reads_of(known, facts, step.target, current),
        window=window_of(known, step.target),
        demands=demands,
        renamed_from=renamed_from,
        others=others_of(known, facts, step.target, current),
        is_done=step.target in known.done,
    )
    verdict = _for(asked_by, judge(situation, known.evidence))
    if facts.is_settled or verdict.action == "blocked":
        return verdict
    unmade = [
        use.upstream for use in facts.inputs if not stored_targets(known.slices, step.target, use)
    ]
    return Verdict("blocked", tuple(UpstreamMissing(name) for name in unmade))
