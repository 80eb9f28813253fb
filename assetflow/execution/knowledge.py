"""What a plan and a run know: where deciding meets what is remembered and what is held."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.metadata.recall import Remembered, definition_parts, definitions
from assetflow.model.asset import Source, SqlBody
from assetflow.model.columns import ReadSet
from assetflow.model.names import AssetName, AssetPartition, CodeVersion, Digest, VersionId
from assetflow.planning.facts import AssetFacts
from assetflow.planning.history import Candidate, History, Publication, VersionStored
from assetflow.planning.judge import Evidence
from assetflow.planning.plan import Known
from assetflow.project.analysis import Analysis, Shape
from assetflow.warehouse.digests import digest_columns
from assetflow.warehouse.versions import scan_sql

if TYPE_CHECKING:
    from assetflow.execution.source_states import SourceState
    from assetflow.warehouse.connection import Engine


@dataclass(slots=True)
class Knowledge:
    """Everything known of a project in one environment, and what a run learns on its way.

    `past` grows with what this run and others store meanwhile. `versions` has each
    stored version that may be read. `wanted` are the read-sets of each upstream that its
    consumers have; their digests are computed together.
    """

    environment: str
    state: Path
    analysis: Analysis
    engine: Engine
    past: Remembered
    sources: Mapping[AssetName, SourceState]
    versions: dict[VersionId, VersionStored] = field(default_factory=dict)
    facts: dict[AssetName, AssetFacts] = field(default_factory=dict)
    wanted: dict[AssetName, set[ReadSet]] = field(default_factory=dict)
    added: dict[tuple[VersionId, ReadSet], Digest] = field(default_factory=dict)
    _parts: dict[str, Mapping[str, str] | None] = field(default_factory=dict)
    _digests: dict[VersionId, dict[ReadSet, Digest]] = field(default_factory=dict)
    _there: dict[VersionId, bool] = field(default_factory=dict)
    _kept: dict[tuple[AssetName, CodeVersion], CodeVersion] = field(default_factory=dict)
    _shapes: dict[AssetName, Shape] = field(default_factory=dict)
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        known: Iterable[Publication | Candidate] = (
            *self.past.candidates.values(),
            *self.past.volatile.values(),
            *self.past.published.values(),
        )
        for one in known:
            self.versions[one.version.version] = one.version
        self._find_facts()

    @property
    def history(self) -> History:
        """Return the past as a plan takes it; what is learned shows in it."""
        return History(self.past.published, self.past.candidates, self.past.volatile)

    @property
    def data(self) -> Path:
        """Return the folder of the warehouse."""
        return self.state / "data"

    @property
    def states(self) -> dict[AssetName, VersionId]:
        """Return the state of each source."""
        return {name: source.state for name, source in self.sources.items()}

    @property
    def has_gone_sources(self) -> bool:
        """Whether a source could not be observed, so that how assets stand is not known."""
        graph = self.analysis.graph
        read = {name for name in graph.sources if graph.downstreams.get(name)}
        seen = {name for name, source in self.sources.items() if not source.is_gone}
        return bool(read - seen)

    def known(self) -> Known:
        """Return what a plan is made from."""
        return Known(
            environment=self.environment,
            graph=self.analysis.graph,
            facts=self.facts,
            evidence=Evidence(self.history, self.digest_of, self.parts_of, self.is_there),
            states=self.states,
        )

    def current(self) -> dict[AssetName, VersionId]:
        """Return the version of everything that can be read now: states and publications."""
        published = {
            target.asset: one.version.version for target, one in self.past.published.items()
        }
        return {**published, **self.states}

    def settled_facts(self, name: AssetName, current: Mapping[AssetName, VersionId]) -> AssetFacts:
        """Return the facts of `name` over the versions that it will really read."""
        shapes = {
            upstream: self._shape(upstream, current[upstream])
            for upstream in self.analysis.graph.upstreams[name]
            if upstream in current
        }
        if all(self._shapes.get(upstream) == shape for upstream, shape in shapes.items()):
            return self.facts[name]
        facts = self._with_kept_code(self.analysis.facts(name, shapes))
        with self._guard:
            self._want(facts)
        return facts

    def digest_of(self, upstream: AssetName, version: VersionId, read_set: ReadSet) -> Digest:
        """Return the digest of what is read of a version, or of the state of a source."""
        source = self.sources.get(upstream)
        if source is not None:
            return source.digest(read_set, self.wanted.get(upstream, ()), self.engine)
        stored = self.versions[version]
        with self._guard:
            known = self._digests.setdefault(version, dict(stored.digests))
            if stored.algorithm != self.engine.algorithm and not known.keys() - dict(
                stored.digests
            ):
                known.clear()
            if read_set not in known:
                self._compute(upstream, stored, read_set, known)
            return known[read_set]

    def _compute(
        self,
        upstream: AssetName,
        stored: VersionStored,
        read_set: ReadSet,
        known: dict[ReadSet, Digest],
    ) -> None:
        """Scan a stored version for the digests of all read-sets that are wanted of it."""
        wanted = {read_set, *self._fitting(upstream, stored)} - known.keys()
        scan = scan_sql(self.data, [(stored.path, stored.size_bytes)])
        digits = self.analysis.graph.assets[upstream].options.float_digits
        found = digest_columns(self.engine.cursor(), scan, stored.schema, wanted, digits)
        known.update(found)
        self.added.update({(stored.version, one): digest for one, digest in found.items()})

    def _fitting(self, upstream: AssetName, stored: VersionStored) -> Collection[ReadSet]:
        names = {column.name for column in stored.schema}
        return [one for one in self.wanted.get(upstream, ()) if names.issuperset(one.columns or ())]

    def parts_of(self, asset: AssetName, code_version: str) -> Mapping[str, str] | None:
        """Return the named parts of an earlier code version, if it is remembered."""
        with self._guard:
            if code_version not in self._parts:
                code = CodeVersion(code_version)
                found = definition_parts(self.state, [code]).get((asset, code))
                self._parts[code_version] = dict(found) if found is not None else None
            return self._parts[code_version]

    def is_there(self, version: VersionStored) -> bool:
        """Whether the files of `version` are there, with the size that they were stored with."""
        found = self._there.get(version.version)
        if found is None:
            found = self._there[version.version] = has_files(str(self.data), version)
        return found

    def learn(self, candidates: Iterable[Candidate], *, is_ours: bool) -> None:
        """Add versions that were stored meanwhile; `is_ours`: for this environment.

        Of a volatile asset only the newest of this environment counts.
        """
        with self._guard:
            for one in candidates:
                made = one.materialization
                self.versions[one.version.version] = one.version
                target = AssetPartition(made.asset, made.partition)
                if not made.is_volatile:
                    self.past.candidates[*target, made.key] = one
                if is_ours and self._is_newest(target, one):
                    self.past.volatile.pop(target, None)
                    if made.is_volatile:
                        self.past.volatile[target] = one

    def _is_newest(self, target: AssetPartition, one: Candidate) -> bool:
        known = self.past.volatile.get(target)
        return known is None or known.materialization.created_at <= one.materialization.created_at

    def keep_codes(self) -> None:
        """Find code versions that differ by the rules alone, after an upgrade of these.

        Old texts are hashed again by today's rules; where that gives today's code
        version, the recorded one is kept, so that no key changes.
        """
        differing = {
            target.asset: last.materialization.code_version
            for target, last in self.past.published.items()
            if (facts := self.facts.get(target.asset)) is not None
            and facts.code_version not in ("", last.materialization.code_version)
        }
        if not differing:
            return
        for (name, code), seen in definitions(self.state, list(differing.values())).items():
            asset = self.analysis.graph.assets[name] if differing.get(name) == code else None
            if asset is None or seen.canonicalizer == self.analysis.rules(asset):
                continue
            again = self.analysis.code_version_by_rules_of_now(asset, seen.source, dict(seen.parts))
            if again == self.facts[name].code_version:
                self._kept[name, again] = code
                self.facts[name] = self._with_kept_code(self.facts[name])

    def _with_kept_code(self, facts: AssetFacts) -> AssetFacts:
        kept = self._kept.get((facts.asset, facts.code_version))
        return facts if kept is None else replace(facts, code_version=kept)

    def _find_facts(self) -> None:
        """Work out the facts of every asset, each from the shapes of those before it."""
        graph = self.analysis.graph
        shapes = self._shapes
        shapes.update({name: Shape(source.schema) for name, source in self.sources.items()})
        for name in graph.assets:
            facts = self.analysis.facts(name, shapes)
            self.facts[name] = facts
            self._want(facts)
            shapes[name] = self._expected_shape(name, facts)

    def _expected_shape(self, name: AssetName, facts: AssetFacts) -> Shape:
        if facts.schema is not None:
            return Shape(facts.schema, facts.ordered, facts.is_expected)
        last = self.past.published.get(AssetPartition(name))
        if last is None:
            return Shape()
        is_dynamic = isinstance(self.analysis.graph.assets[name].body, SqlBody)
        is_expected = (
            is_dynamic
            or facts.is_expected
            or not facts.is_settled
            or last.materialization.code_version != facts.code_version
        )
        return Shape(last.version.schema, last.version.ordered, is_expected)

    def _shape(self, upstream: AssetName, version: VersionId) -> Shape:
        source = self.sources.get(upstream)
        if source is not None:
            return Shape(source.schema)
        stored = self.versions[version]
        return Shape(stored.schema, stored.ordered)

    def _want(self, facts: AssetFacts) -> None:
        for use in facts.inputs:
            self.wanted.setdefault(use.upstream, set()).add(use.read_set)


def needed_sources(analysis: Analysis, targets: Collection[AssetName] | None) -> tuple[Source, ...]:
    """Return the sources among `targets` and of what they are made; all read ones, for None."""
    graph = analysis.graph
    wanted = graph.assets.keys() if targets is None else targets
    reached = {*wanted, *graph.all_upstream(wanted)}
    return tuple(source for name, source in graph.sources.items() if name in reached)


def has_files(data: str, version: VersionStored) -> bool:
    """Whether the files of `version` are under `data`; a table's with its recorded size."""
    try:
        found = os.stat(f"{data}/{version.path}")  # noqa: PTH116 - ten thousand of them
    except OSError:
        return False
    return version.format != "parquet" or found.st_size == version.size_bytes
