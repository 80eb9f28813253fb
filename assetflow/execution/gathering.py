"""Gather what a plan is made from: what the store remembers, and how the sources are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.execution.knowledge import Knowledge, are_there, needed_sources
from assetflow.execution.observing import Observer, Sight
from assetflow.metadata.check_rows import rejected_wholes
from assetflow.metadata.doubt import (
    Expected,
    ExpectedInput,
    ExpectedOther,
    Standing,
    doubtful_of_files,
    standing,
)
from assetflow.metadata.outline import published_shapes
from assetflow.metadata.recall import observations, remembered
from assetflow.metadata.rollups import dynamic_keys
from assetflow.model.names import AssetName, PartitionKey, VersionId
from assetflow.model.partitions import declared_names, keys_of
from assetflow.model.path_keys import keys_found
from assetflow.planning.audits import checks_key
from assetflow.planning.plan import demanded
from assetflow.planning.reach import Slices, reach
from assetflow.planning.steps import Request
from assetflow.planning.terms import distinct_reads
from assetflow.planning.wanted import wanted_partitions

if TYPE_CHECKING:
    from assetflow.project.analysis import Analysis
    from assetflow.warehouse.connection import Engine


@dataclass(frozen=True, slots=True)
class Place:
    """Where a project works: its root, its state folder and its environment."""

    root: Path
    state: Path
    environment: str


def gather(
    place: Place,
    analysis: Analysis,
    engine: Engine,
    now: datetime,
    request: Request | None,
) -> Knowledge:
    """Return what is known as of `now`, as far as a plan for `request` needs it.

    Only sources that its targets need are observed. None stands for no plan at all: then
    nothing of the past is looked at.
    """
    observer = Observer(place.root, now, engine)
    needed = needed_sources(analysis, request.targets if request else None)
    slices = slices_of(place.state, analysis, now)
    sight = observer.observe_all(needed, observations(place.state), slices.keys)
    knowledge = Knowledge(
        environment=place.environment,
        state=place.state,
        analysis=analysis,
        engine=engine,
        slices=replace(slices, keys={**slices.keys, **sight.keys}),
        sources=sight.states,
        unseen=sight.unseen,
        source_shapes=sight.shapes,
        notes=tuple(sight.notes),
        shapes=published_shapes(place.state, place.environment, _shapeless(analysis)),
    )
    if request is not None:
        knowledge.done = request.done
        _look_back(knowledge, request)
    analysis.save()
    return knowledge


def sight_of(knowledge: Knowledge) -> Sight:
    """Return how the sources were seen when `knowledge` was gathered."""
    return Sight(
        states=dict(knowledge.sources),
        unseen=dict(knowledge.unseen),
        keys={name: knowledge.slices.keys[name] for name in knowledge.graph.sources},
        shapes=dict(knowledge.source_shapes),
    )


def slices_of(state: Path, analysis: Analysis, now: datetime) -> Slices:
    """Return which partitions there are as of `now`, and which reads which.

    Sources whose keys are those of their files have none before these are looked at.
    """
    graph = analysis.graph
    definitions = {
        **{name: asset.options.partitions for name, asset in graph.assets.items()},
        **{name: source.partitions for name, source in graph.sources.items()},
    }
    dynamic = dynamic_keys(state) if declared_names(definitions.values()) else {}
    keys = {name: keys_of(one, now, dynamic) for name, one in definitions.items()}
    found = {
        name: keys_found(source.partitions, ())
        for name, source in graph.sources.items()
        if source.finds_keys and source.partitions
    }
    return Slices(graph, {**keys, **found}, graph.mappings)


def _shapeless(analysis: Analysis) -> set[AssetName]:
    """Return the assets whose columns their definition may not tell, and what reads them."""
    roots = [name for name in analysis.graph.assets if analysis.is_shapeless(name)]
    return {*roots, *analysis.graph.all_downstream(roots)}


def _look_back(knowledge: Knowledge, request: Request) -> None:
    """Recall what the store has of all that `request` may touch, and of nothing else."""
    scope = wanted_partitions(knowledge.slices, request).keys()
    found = _standing(knowledge, scope)
    shapes = published_shapes(knowledge.state, knowledge.environment, found.doubtful.keys())
    if knowledge.keep_codes({name: one.code_version for name, one in shapes.items()}):
        found = _standing(knowledge, scope)
    doubtful = {name: set(keys) for name, keys in found.doubtful.items()}
    _add(doubtful, _of_missing_files(knowledge, found))
    _add(doubtful, demanded(knowledge.slices, knowledge.facts, request))
    filtered = {name for name, facts in knowledge.facts.items() if facts.filters}
    knowledge.reach = reach(knowledge.slices, doubtful, _audits(knowledge), filtered)
    knowledge.obsolete = found.obsolete if request.is_everything else ()
    knowledge.unaudited = found.unaudited
    touched = _with_old_names(knowledge, knowledge.reach)
    wanted = {name: set(keys) for name, keys in touched.items()}
    for name, keys in knowledge.reach.items():
        _add(wanted, knowledge.slices.reads(name, keys))
        for other, is_aligned in distinct_reads(knowledge.facts[name].checks):
            _add(wanted, {other: keys if is_aligned else knowledge.slices.keys[other]})
    whole = [name for name in knowledge.reach if knowledge.facts[name].whole]
    for name in (*knowledge.unaudited, *whole):
        _add(wanted, {name: knowledge.slices.keys[name]})
        for other, _ in distinct_reads(knowledge.facts[name].whole):
            _add(wanted, {other: knowledge.slices.keys[other]})
    for target in knowledge.obsolete:
        _add(wanted, {target.asset: (target.partition,)})
    if wanted:
        knowledge.recall(remembered(knowledge.state, knowledge.environment, wanted, touched))
    knowledge.past.audits.update(rejected_wholes(knowledge.state, whole))


def _audits(knowledge: Knowledge) -> dict[AssetName, set[AssetName]]:
    """Return the others that the checks of each asset read."""
    checks = {name: (*facts.checks, *facts.whole) for name, facts in knowledge.facts.items()}
    return {
        name: {read.upstream for check in found for read in check.reads}
        for name, found in checks.items()
        if found
    }


def _add(
    found: dict[AssetName, set[PartitionKey]], more: Mapping[AssetName, Collection[PartitionKey]]
) -> None:
    for name, keys in more.items():
        found[name] = {*found.get(name, ()), *keys}


def _standing(knowledge: Knowledge, scope: Collection[AssetName]) -> Standing:
    states: dict[AssetName, dict[PartitionKey, VersionId]] = {}
    for target, state in knowledge.states.items():
        states.setdefault(target.asset, {})[target.partition] = state
    expected = [_expected(knowledge, name) for name in knowledge.graph.assets if name in scope]
    return standing(knowledge.state, knowledge.environment, expected, states)


def _expected(knowledge: Knowledge, name: AssetName) -> Expected:
    """Return how the materializations of an asset are recorded that are up to date."""
    facts, keys = knowledge.facts[name], knowledge.slices.keys
    return Expected(
        asset=name,
        code_version=facts.code_version,
        settings=facts.settings,
        keys=keys[name],
        inputs=tuple(
            ExpectedInput(
                name=use.name,
                upstream=use.upstream,
                form=use.form,
                mapping=use.mapping,
                read_set=use.read_set,
                upstream_keys=keys[use.upstream],
            )
            for use in facts.reads
        ),
        checks=facts.checks_key,
        others=tuple(
            ExpectedOther(other, keys[other], is_aligned)
            for other, is_aligned in distinct_reads(facts.checks)
        ),
        whole=checks_key(facts.whole),
        whole_others=tuple(
            ExpectedOther(other, keys[other]) for other, _ in distinct_reads(facts.whole)
        ),
    )


def _of_missing_files(knowledge: Knowledge, found: Standing) -> dict[AssetName, set[PartitionKey]]:
    """Return what is published in files that are not there, or not as they were written."""
    data = str(knowledge.data)
    gone = [file for file in found.files if not are_there(data, *file)]
    if not gone:
        return {}
    doubtful: dict[AssetName, set[PartitionKey]] = {}
    paths = [path for path, _, _ in gone]
    for target in doubtful_of_files(knowledge.state, knowledge.environment, paths):
        if target.partition in knowledge.slices.keys.get(target.asset, ()):
            doubtful.setdefault(target.asset, set()).add(target.partition)
    return doubtful


def _with_old_names(
    knowledge: Knowledge, keys: Mapping[AssetName, Collection[PartitionKey]]
) -> dict[AssetName, Collection[PartitionKey]]:
    """Return `keys`, and the same of the assets that theirs were renamed from."""
    assets = knowledge.graph.assets
    old = {
        AssetName(assets[name].options.renamed_from): found
        for name, found in keys.items()
        if assets[name].options.renamed_from
    }
    return {**old, **keys}
