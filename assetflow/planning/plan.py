"""Decide what to materialize, and say why. Pure: no clock, no files, no database."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from assetflow.graph.graph import AssetGraph
from assetflow.model.names import WHOLE, AssetName, AssetPartition, VersionId
from assetflow.planning.facts import AssetFacts
from assetflow.planning.history import History, Publication
from assetflow.planning.judge import Evidence, Situation, judge
from assetflow.planning.reasons import (
    Forced,
    NotSelected,
    Reason,
    RefreshRequested,
    SourceUnknown,
    Withdrawn,
)
from assetflow.planning.steps import Plan, Request, Step, Verdict


@dataclass(frozen=True, slots=True)
class Known:
    """All that a plan is made from, but for the request.

    `facts` has every asset of the graph; `states` the observed state of every source, but
    for those that cannot be observed: `unknown` says why.
    """

    environment: str
    graph: AssetGraph
    facts: Mapping[AssetName, AssetFacts]
    evidence: Evidence
    states: Mapping[AssetName, VersionId]
    unknown: Mapping[AssetName, SourceUnknown] = field(default_factory=dict)

    @property
    def history(self) -> History:
        """Return what is known of the past."""
        return self.evidence.history


@dataclass(slots=True)
class _Around:
    """What assets find upstream: a version, a wait, a source that is unknown, or nothing."""

    current: dict[AssetName, VersionId]
    unknown: dict[AssetName, tuple[SourceUnknown, ...]]
    pending: set[AssetName] = field(default_factory=set)

    def follow(self, step: Step, *, runs: bool) -> None:
        """Note what those downstream of `step` will find."""
        name = step.target.asset
        verdict = step.verdict
        unknown = _unknown_sources(step)
        if runs and unknown:
            self.unknown[name] = unknown
        elif runs and verdict.action in ("materialize", "may_materialize"):
            self.pending.add(name)
        elif runs and verdict.action in ("reuse", "verify") and verdict.candidate is not None:
            self.current[name] = verdict.candidate.version.version
        elif step.last is not None and step.last.materialization.asset == name:
            self.current[name] = step.last.version.version


def plan(known: Known, request: Request) -> Plan:
    """Return the steps that bring what `request` asks for up to date, upstream first."""
    wanted = _scope(known.graph, request)
    selected = known.graph.assets.keys() if request.targets is None else request.targets
    around = _Around(
        dict(known.states), {name: (reason,) for name, reason in known.unknown.items()}
    )
    steps: list[Step] = []
    notes: list[tuple[AssetName, str]] = []
    up_to_date = 0
    for name in known.graph.assets:
        if name not in wanted:
            continue
        step = _consider(known, request, name, name in selected, around)
        runs = not request.only or name in selected
        around.follow(step, runs=runs)
        if not runs:
            if step.verdict.action not in (None, "verify"):
                notes.extend(_said_downstream(known.graph, step, selected))
        elif step.verdict.action is None:
            up_to_date += 1
        else:
            steps.append(step)
        if step.facts is not None and step.verdict.action is not None:
            notes.extend((name, note) for note in step.facts.notes)
    steps.extend(_withdrawals(known, request))
    return Plan(known.environment, _linked(steps, known.graph), up_to_date, tuple(notes))


def _scope(graph: AssetGraph, request: Request) -> Collection[AssetName]:
    """Return the assets to look at: the targets, what they are made from, what follows."""
    if request.targets is None:
        return graph.assets.keys()
    targets = set(request.targets)
    if request.downstream:
        targets |= graph.all_downstream(targets)
    return targets | graph.all_upstream(targets)


def _consider(
    known: Known,
    request: Request,
    name: AssetName,
    is_selected: bool,  # noqa: FBT001 - one of two states, named at the only call
    around: _Around,
) -> Step:
    facts = known.facts[name]
    target = AssetPartition(name, WHOLE)
    last, renamed_from = last_publication(known, target)
    situation = Situation(
        target=target,
        facts=facts,
        last=last,
        current=around.current,
        pending=frozenset(use.upstream for use in facts.inputs if use.upstream in around.pending),
        unknown=around.unknown,
        demands=_demands(request, facts) if is_selected and name not in request.done else (),
        renamed_from=renamed_from,
    )
    verdict = judge(situation, known.evidence)
    return Step(target, verdict, facts, last)


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


def _demands(request: Request, facts: AssetFacts) -> tuple[Reason, ...]:
    forced = (Forced(),) if request.force else ()
    refreshed = (RefreshRequested(),) if request.refresh and facts.is_volatile else ()
    return (*refreshed, *forced)


def _unknown_sources(step: Step) -> tuple[SourceUnknown, ...]:
    return tuple(reason for reason in step.verdict.reasons if isinstance(reason, SourceUnknown))


def _said_downstream(
    graph: AssetGraph, step: Step, selected: Collection[AssetName]
) -> Iterator[tuple[AssetName, str]]:
    """Say of an asset that is not selected why what is made from it may be behind."""
    name = step.target.asset
    reasons = _unknown_sources(step) or (NotSelected(name),)
    for other in graph.downstreams.get(name, ()):
        if other in selected:
            yield from ((other, str(reason)) for reason in reasons)


def _withdrawals(known: Known, request: Request) -> Iterator[Step]:
    if request.targets is not None:
        return
    for target, publication in sorted(known.history.published.items()):
        if target.asset not in known.graph.assets:
            yield Step(target, Verdict("withdraw", (Withdrawn(),)), None, publication)


def _linked(steps: list[Step], graph: AssetGraph) -> tuple[Step, ...]:
    """Return `steps` with each knowing which others it waits on."""
    planned = {step.target.asset: step.target for step in steps if step.action != "withdraw"}
    linked = []
    for step in steps:
        upstreams = graph.upstreams.get(step.target.asset, ())
        waits = tuple(planned[name] for name in upstreams if name in planned)
        linked.append(replace(step, waits_on=waits))
    return tuple(linked)


def settle(
    known: Known,
    step: Step,
    facts: AssetFacts,
    current: Mapping[AssetName, VersionId],
) -> Verdict:
    """Decide `step` again, now that its upstreams are known: run, reuse, verify or nothing.

    `facts` are computed from the schemas of the versions in `current`, which the step
    will really read. This is early cutoff: what was provisional becomes a reason or none.
    """
    demands = tuple(r for r in step.reasons if isinstance(r, Forced | RefreshRequested))
    last, renamed_from = last_publication(known, step.target)
    situation = Situation(
        target=step.target,
        facts=facts,
        last=last,
        current=current,
        demands=demands,
        renamed_from=renamed_from,
    )
    return judge(situation, known.evidence)
