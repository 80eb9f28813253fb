"""Decide what to materialize, and say why. Pure: no clock, no files, no database."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

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
    UpstreamMissing,
    Withdrawn,
)
from assetflow.planning.steps import Plan, Request, Step, Verdict


@dataclass(frozen=True, slots=True)
class Known:
    """All that a plan is made from, but for the request.

    `facts` has every asset of the graph; `states` the observed state of every source.
    """

    environment: str
    graph: AssetGraph
    facts: Mapping[AssetName, AssetFacts]
    evidence: Evidence
    states: Mapping[AssetName, VersionId]

    @property
    def history(self) -> History:
        """Return what is known of the past."""
        return self.evidence.history


def plan(known: Known, request: Request) -> Plan:
    """Return the steps that bring what `request` asks for up to date, upstream first."""
    wanted = _scope(known.graph, request)
    selected = known.graph.assets.keys() if request.targets is None else request.targets
    current: dict[AssetName, VersionId] = dict(known.states)
    pending: set[AssetName] = set()
    steps: list[Step] = []
    notes: list[tuple[AssetName, str]] = []
    up_to_date = 0
    for name in known.graph.assets:
        if name not in wanted:
            continue
        step = _consider(known, request, name, name in selected, (current, pending))
        runs = not request.only or name in selected
        _follow(step, runs=runs, current=current, pending=pending)
        if not runs:
            if step.verdict.action not in (None, "verify"):
                notes.extend(_said_downstream(known.graph, name, selected))
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
    around: tuple[Mapping[AssetName, VersionId], Collection[AssetName]],
) -> Step:
    facts = known.facts[name]
    target = AssetPartition(name, WHOLE)
    last, renamed_from = last_publication(known, target)
    situation = Situation(
        target=target,
        facts=facts,
        last=last,
        current=around[0],
        pending=frozenset(use.upstream for use in facts.inputs if use.upstream in around[1]),
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


def _follow(
    step: Step, *, runs: bool, current: dict[AssetName, VersionId], pending: set[AssetName]
) -> None:
    """Note what those downstream of `step` will find: a version, a wait, or nothing."""
    name = step.target.asset
    verdict = step.verdict
    if runs and verdict.action in ("materialize", "may_materialize"):
        pending.add(name)
    elif runs and verdict.action in ("reuse", "verify") and verdict.candidate is not None:
        current[name] = verdict.candidate.version.version
    elif step.last is not None and step.last.materialization.asset == name:
        current[name] = step.last.version.version


def _said_downstream(
    graph: AssetGraph, name: AssetName, selected: Collection[AssetName]
) -> Iterator[tuple[AssetName, str]]:
    for other in graph.downstreams.get(name, ()):
        if other in selected:
            yield other, str(NotSelected(name))


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


def blocked_by(step: Step) -> tuple[AssetName, ...]:
    """Return the upstreams for want of which `step` cannot run."""
    return tuple(
        AssetName(reason.upstream) for reason in step.reasons if isinstance(reason, UpstreamMissing)
    )
