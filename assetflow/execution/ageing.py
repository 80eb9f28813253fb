"""How old the data of a project is: gathered from the store and the sources, then judged."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assetflow.errors import NaiveEventTime
from assetflow.execution.gathering import Place, slices_of
from assetflow.execution.looks import Looks, kept_looks, rested_look
from assetflow.execution.observing import Observer, Sight
from assetflow.execution.timing import timed_by
from assetflow.metadata.ages import AgeQuestion, recalled_ages, recalled_past, recalled_sightings
from assetflow.metadata.outline import published_shapes
from assetflow.metadata.recall import observations
from assetflow.metadata.rollups import asks, slow_seconds
from assetflow.model.durations import duration_text
from assetflow.model.names import AssetName, AssetPartition, PartitionKey, VersionId, folded
from assetflow.model.path_keys import keys_found
from assetflow.planning.attainable import Ages, attainable, bottleneck
from assetflow.planning.back_off import Ways, rests_until, ways_down
from assetflow.planning.data_time import AgeHistory, Ageing, DataTime, StateSeen, data_times
from assetflow.planning.freshness_pages import AgePoint, FreshnessHistory, FreshnessLine
from assetflow.planning.freshness_past import (
    MOST_POINTS,
    PastOfAsset,
    age_points,
    freshness_history,
    trend_of,
)
from assetflow.planning.least_refresh import cannot_be_met, least_refresh, usual_durations
from assetflow.planning.newest_partitions import counting_keys, newest_due
from assetflow.planning.overdue import judge_freshness, needed_data_time
from assetflow.planning.pages import Finding
from assetflow.planning.stated_policies import stated_policies
from assetflow.planning.steps import OverdueRefresh, Request
from assetflow.warehouse.event_times import is_naive

if TYPE_CHECKING:
    from assetflow.execution.source_states import SourceState
    from assetflow.graph.graph import AssetGraph
    from assetflow.metadata.ages import RecalledAges
    from assetflow.model.asset import Asset, Options, Source
    from assetflow.model.columns import Schema
    from assetflow.model.freshness import FreshnessPolicy, StatedPolicy
    from assetflow.model.partitions import KeySet
    from assetflow.project.analysis import Analysis
    from assetflow.warehouse.connection import Engine


EPOCH = datetime.fromtimestamp(0, UTC)
TREND = timedelta(days=1)
TREND_POINTS = 12
MOST_TRENDS = 20
LATEST_OF_PAST = 500
"""How far back, at how many instants and for how many assets it is told how the lag went, and
of each version by how many publications."""


@dataclass(frozen=True, slots=True)
class KnownAges:
    """How old everything in question is at `now`, and the policies that ask.

    `names` are the assets and sources in question, upstream first; `usual` is how long it
    takes to make each with all that it is made from. `unseen` are the sources that cannot
    be observed now, with the reason.
    """

    now: datetime
    names: tuple[AssetName, ...]
    stated: Mapping[AssetName, StatedPolicy]
    ages: Ages
    history: AgeHistory
    keys: Mapping[AssetName, KeySet]
    usual: Mapping[AssetName, float] = field(default_factory=dict)
    unseen: Mapping[AssetName, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ager:
    """Finds how old the data of one project is, in one environment.

    With `is_past`, `now` is a past moment: what was known then counts, and nothing is looked at.
    `sight` is how the sources were seen, where somebody has looked already.
    """

    place: Place
    analysis: Analysis
    engine: Engine
    now: datetime
    is_past: bool = False
    sight: Sight | None = None

    def known(self, wanted: Collection[AssetName] | None = None) -> KnownAges:
        """Return the ages of `wanted` and of all that they are made from; None is everything.

        Raises NaiveEventTime where there is a policy, and nobody says by which clocks.
        """
        question = self._question(wanted)
        recalled = recalled_ages(self.place.state, question)
        sources = [s for name, s in self._graph.sources.items() if name in self._scope(wanted)]
        looks = kept_looks(self.place.state)
        slow = slow_seconds(self.place.state)
        sight, rests = self._look(sources, question.keys, looks, slow)
        history = self._history(recalled, question, sources, sight, looks)
        looks.save()
        found = data_times(history, self.now, self.now if self.is_past else None)
        upstreams = {name: self._graph.upstreams[name] for name in question.assets}
        names = (*(source.name for source in sources), *question.assets)
        known = KnownAges(
            now=self.now,
            names=names,
            stated=self.stated(),
            ages=Ages(
                upstreams=upstreams,
                published={name: found[name] for name in question.assets if name in found},
                seen={
                    source.name: found[source.name] for source in sources if source.name in found
                },
                volatile=frozenset(filter(self.analysis.is_volatile, question.assets)),
                resting={**self._resting(question, slow), **rests},
                answering=frozenset(source.name for source in sources if source.observe),
                owners={name: about(self.analysis, name).owners for name in names},
            ),
            history=history,
            keys=question.keys,
            usual=usual_durations(upstreams, slow),
            unseen={one.asset: each.error.sentence for one, each in sight.unseen.items()},
        )
        self._check_times(known, question.timed_by)
        return known

    def past(
        self, names: Collection[AssetName], since: datetime, latest: int = LATEST_OF_PAST
    ) -> dict[AssetName, PastOfAsset]:
        """Return what the ages of the assets `names` followed from since then."""
        question = replace(self._question(names), assets=[*names], latest=latest)
        recalled, moves = recalled_past(self.place.state, question, since)
        ageing = _ageing(self._graph.sources.values())
        history = AgeHistory(recalled.makings, recalled.states, ageing=ageing)
        return {
            name: PastOfAsset(name, question.keys[name], some, history)
            for name, some in moves.items()
        }

    def points(self, name: AssetName, start: datetime) -> tuple[AgePoint, ...]:
        """Return how recent an asset or source was since `start`."""
        source = self._graph.sources.get(name)
        past = (
            self._past_of_source(source)
            if source
            else self.past([name], start, MOST_POINTS).get(name)
        )
        return age_points(past, start, self.now) if past else ()

    def _past_of_source(self, source: Source) -> PastOfAsset | None:
        """Return what was seen of a source; None where nothing was."""
        question = self._question([source.name])
        states, moves = recalled_sightings(self.place.state, question, source.name)
        keys = question.keys[source.name]
        if source.finds_keys and source.partitions:
            keys = keys_found(source.partitions, {move.partition for move in moves})
        history = AgeHistory(states=states, ageing=_ageing([source]))
        return PastOfAsset(source.name, keys, moves, history) if moves else None

    def stated(self) -> dict[AssetName, StatedPolicy]:
        """Return the policy of each asset and source that has one."""
        graph, said = self._graph, self.analysis.declarations.settings.freshness
        things: list[Asset | Source] = [*graph.sources.values(), *graph.assets.values()]
        return stated_policies(things, *said.frozen())

    @property
    def _graph(self) -> AssetGraph:
        return self.analysis.graph

    def _scope(self, wanted: Collection[AssetName] | None) -> Collection[AssetName]:
        if wanted is None:
            return {*self._graph.sources, *self._graph.assets}
        return {*wanted, *self._graph.all_upstream(wanted)}

    def _question(self, wanted: Collection[AssetName] | None) -> AgeQuestion:
        scope = self._scope(wanted)
        timezone = self.analysis.declarations.settings.timezone
        said = {name: about(self.analysis, name) for name in scope}
        return AgeQuestion(
            environment=self.place.environment,
            now=self.now,
            keys=slices_of(self.place.state, self.analysis, self.now).keys,
            assets=[name for name in self._graph.assets if name in scope],
            timed_by={
                name: timed_by(one, timezone) for name, one in said.items() if one.event_time
            },
            is_past=self.is_past,
            differing=self._differing(),
        )

    def _differing(self) -> tuple[AssetName, ...]:
        """Return the sources that lie elsewhere in some environment."""
        environments = self.analysis.declarations.settings.environments.values()
        named = {folded(name) for one in environments for name in one.sources}
        return tuple(name for name in self._graph.sources if folded(name) in named)

    def _look(
        self,
        sources: Iterable[Source],
        keys: Mapping[AssetName, KeySet],
        looks: Looks,
        slow: Mapping[AssetName, float],
    ) -> tuple[Sight, dict[AssetName, datetime]]:
        """Return the sources as they are now, and until when those rest that gave nothing new.

        Of a past moment nothing is seen.
        """
        if self.is_past:
            return Sight(), {}
        before = self.sight or Sight()
        seen = {target.asset for target in (*before.states, *before.unseen)}
        missing = [source for source in sources if source.name not in seen]
        if not missing:
            return before, {}
        previous = observations(self.place.state)
        observer = Observer(self.place.root, self.now, self.engine)
        ways = self._ways(slow) if any(source.observe for source in missing) else {}
        found, rests = rested_look(observer, missing, previous, keys, looks, ways)
        sight = Sight(
            states=before.states | found.states,
            unseen=before.unseen | found.unseen,
            keys=before.keys | found.keys,
            shapes=before.shapes | found.shapes,
        )
        return sight, rests

    def _history(
        self,
        recalled: RecalledAges,
        question: AgeQuestion,
        sources: Iterable[Source],
        sight: Sight,
        looks: Looks,
    ) -> AgeHistory:
        states, current = list(recalled.states), dict(recalled.current)
        looked_at: dict[AssetName, frozenset[VersionId]] = {}
        seen = _by_source(sight)
        for source in sources:
            name = source.name
            here = seen.get(name, {})
            lost = _not_seen(recalled.newest.get(name, {}), name, sight)
            found = {**lost, **{key: one.state for key, one in here.items()}}
            if source.finds_keys and source.partitions:
                keys = sight.keys.get(name) or keys_found(source.partitions, found)
            else:
                keys = question.keys[name]
            counting = counting_keys(keys, found, self.now)
            if counting:
                current[name] = tuple(found[key] for key in counting)
            looked = [here[key] for key in counting if key in here]
            how = question.timed_by.get(name, "")
            states += (
                StateSeen(name, state.state, self.now, self._newest(state, looks))
                for state in looked
                if not _is_recorded(state, how, recalled)
            )
            looked_at[name] = frozenset(one.state for one in here.values())
        return AgeHistory(recalled.makings, states, current, _ageing(sources), looked_at)

    def _newest(self, state: SourceState, looks: Looks) -> datetime | None:
        timezone = self.analysis.declarations.settings.timezone
        told = looks.time_of(state, self.engine, timezone)
        if told is not None:
            return told.newest
        changed = max((file.mtime_ns for file in state.files), default=None)
        if changed is None:
            return looks.since(state) or self.now
        return EPOCH + timedelta(microseconds=changed // 1000)

    def _resting(
        self, question: AgeQuestion, slow: Mapping[AssetName, float]
    ) -> dict[AssetName, datetime]:
        """Return until when volatile assets are not asked again that gave nothing newer.

        `slow` is how long steps take, nine times out of ten.
        """
        timed = {
            name: how
            for name, how in question.timed_by.items()
            if name in self._graph.assets and self.analysis.is_volatile(name)
        }
        if not timed:
            return {}
        asked = asks(self.place.state, self.place.environment, timed, self.now)
        ways = self._ways(slow)
        found = {name: rests_until(some, ways.get(name, {})) for name, some in asked.items()}
        return {name: until for name, until in found.items() if until and until > self.now}

    def _ways(self, slow: Mapping[AssetName, float]) -> dict[AssetName, Ways]:
        """Return which policies need each asset and source, and how long the way to them is."""
        policies = {name: one.policy for name, one in self.stated().items()}
        return {**ways_down(self._graph.upstreams, policies, slow)}

    def _check_times(self, known: KnownAges, timed: Collection[AssetName]) -> None:
        """Raise NaiveEventTime for a root whose age somebody asks for, and nobody can tell.

        `timed` are those that have an event time.
        """
        settings = self.analysis.declarations.settings
        if not timed or "timezone" in settings.model_fields_set:
            return
        in_question = frozenset(known.names)
        asked = [name for name in known.stated if name in in_question]
        for name in (*asked, *self._graph.all_upstream(asked)):
            said = about(self.analysis, name)
            is_root = name in known.ages.seen or name in known.ages.volatile
            if is_root and said.event_time and not said.timezone:
                self._check_time(name, said.event_time, known)

    def _check_time(self, name: AssetName, column: str, known: KnownAges) -> None:
        schema = self._schema(name)
        types = [one.type for one in schema if folded(one.name) == folded(column)]
        if types and is_naive(types[0].upper()):
            data = known.ages.seen.get(name) or known.ages.published.get(name)
            newest = f"{data.at:%Y-%m-%d %H:%M:%S}" if data and data.at else types[0]
            raise NaiveEventTime(name, column, newest)

    def _schema(self, name: AssetName) -> Schema:
        """Return the columns of a source or asset, declared or as they were last."""
        declared = about(self.analysis, name).columns
        if declared is not None:
            return declared
        if name in self._graph.sources:
            seen = observations(self.place.state).get(name, {}).values()
            return next((one.schema for one in seen), ())
        shapes = published_shapes(self.place.state, self.place.environment, [name])
        return shapes[name].schema if name in shapes else ()


def about(analysis: Analysis, name: AssetName) -> Source | Options:
    """Return what is declared of an asset or source."""
    asset = analysis.graph.assets.get(name)
    return analysis.graph.sources[name] if asset is None else asset.options


def _ageing(sources: Iterable[Source]) -> dict[AssetName, Ageing]:
    """Return how those of `sources` age that do not simply do."""
    return {
        source.name: "never" if source.static else "when_looked"
        for source in sources
        if source.static or source.assume_complete
    }


def _is_recorded(state: SourceState, how: str, recalled: RecalledAges) -> bool:
    """Whether the store knows how recent a state is, of an event time `how` it is told."""
    return (state.state, how) in recalled.timed if how else not state.is_new


def _not_seen(
    newest: Mapping[PartitionKey, VersionId], name: AssetName, sight: Sight
) -> dict[PartitionKey, VersionId]:
    """Return the last states of what cannot be observed; what is gone from a source has none."""
    if AssetPartition(name) in sight.unseen or name not in sight.shapes:
        return dict(newest)
    return {key: one for key, one in newest.items() if AssetPartition(name, key) in sight.unseen}


def _by_source(sight: Sight) -> dict[AssetName, dict[PartitionKey, SourceState]]:
    found: dict[AssetName, dict[PartitionKey, SourceState]] = {}
    for target, state in sight.states.items():
        found.setdefault(target.asset, {})[target.partition] = state
    return found


def overdue_request(
    known: KnownAges,
    names: Collection[AssetName],
    within_seconds: float | None,
) -> tuple[Request, tuple[tuple[AssetName, str], ...]]:
    """Return what brings the policies of `names` back, and what holds back the rest.

    Of an asset with partitions the newest that should exist are made, of one that was never
    made all; with `within_seconds` also what becomes too old by then.
    """
    policies = {name: one.policy for name, one in known.stated.items() if name in names}
    least = least_refresh(known.ages, policies, known.now, known.usual, within_seconds)
    overdue = {
        one.asset: OverdueRefresh(_due(known, one.asset), one.reasons) for one in least.refreshes
    }
    held_back = tuple(
        (name, held.text)
        for name, held in least.held_back.items()
        if held is not None and not held.run_helps
    )
    return Request.of_overdue(overdue), held_back


def _due(known: KnownAges, name: AssetName) -> tuple[PartitionKey, ...]:
    every = known.keys[name]
    return newest_due(every, known.now) if name in known.ages.published else tuple(every)


def lines_of(known: KnownAges, names: Iterable[AssetName]) -> Iterator[FreshnessLine]:
    """Yield how each of `names` stands against its policy."""
    ages = known.ages
    best = attainable(ages, known.now)
    for name in names:
        stated = known.stated.get(name)
        data = ages.seen.get(name) if name not in ages.upstreams else ages.published.get(name)
        facts = judge_freshness(
            stated.policy if stated else None, data, known.now, known.usual.get(name, 0.0)
        )
        held = None
        if data is not None and (data.at is not None or not data.is_known):
            need = _need(known, name, stated.policy) if stated else None
            held = bottleneck(ages, data, best.get(name, data), known.now, need)
        yield FreshnessLine(
            asset=name,
            facts=facts,
            stated=stated,
            bottleneck=held,
            owners=ages.owners.get(name, ()),
            notes=tuple(_notes(known, name, data)),
            is_source=name not in ages.upstreams,
        )


def _need(known: KnownAges, name: AssetName, policy: FreshnessPolicy) -> datetime:
    """Return how recent the data has to be when a run that starts now is done."""
    done = known.now + timedelta(seconds=known.usual.get(name, 0.0))
    return needed_data_time(policy, done)


def _notes(known: KnownAges, name: AssetName, data: DataTime | None) -> Iterator[str]:
    if data is None:
        yield "never materialized" if name in known.ages.upstreams else "never seen"
        return
    if data.capped is not None:
        at = f"{data.capped:%Y-%m-%d %H:%M} UTC"
        yield f"{data.root!r} has data of the future ({at}): it counts as of now"
    if known.unseen and data.root in known.unseen:
        yield f"{data.root!r} cannot be observed: {known.unseen[data.root]}"


def policy_findings(known: KnownAges) -> Iterator[Finding]:
    """Yield what is to say of policies that cannot be kept, by what the steps took before."""
    policies = {name: one.policy for name, one in known.stated.items()}
    for name, bound, usual in cannot_be_met(policies, known.usual):
        yield Finding(
            f"policy of {name}",
            "warn",
            f"its data may be {duration_text(bound)} old, but making it takes"
            f" {duration_text(math.ceil(usual))} with all that it is made from",
            "Allow it to be older, or make what it is made from faster.",
        )


def with_trends(ager: Ager, lines: Iterable[FreshnessLine]) -> Iterator[FreshnessLine]:
    """Yield `lines`, in their order, the first of those with a policy with how their lag went."""
    told = list(lines)
    asked = [one.asset for one in told if one.stated and not one.is_source][:MOST_TRENDS]
    start = ager.now - TREND
    found = trend_of(ager.past(asked, start), start, ager.now, TREND_POINTS) if asked else {}
    for line in told:
        yield replace(line, trend=found[line.asset]) if line.asset in found else line


def history_of(ager: Ager, name: AssetName, days: float) -> FreshnessHistory:
    """Return how old one asset or source was in the last `days`; of a younger one, since then."""
    start = ager.now - timedelta(days=days)
    points = ager.points(name, start)
    start = next((point.at for point in points if point.data_time or point.is_ageless), start)
    return freshness_history(name, ager.stated().get(name), points, start, ager.now)
