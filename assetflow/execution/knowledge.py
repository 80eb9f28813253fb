"""What a plan and a run know: where deciding meets what is remembered and what is held."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from assetflow.errors import KeyColumnTaken, UnfitEventTime
from assetflow.execution.cutting import Cut, Whole, check_event_time, cuts_of
from assetflow.execution.kept_results import KeptResults
from assetflow.execution.serving import check_key_column
from assetflow.execution.source_states import SourceState, UnseenSource, digest_together
from assetflow.graph.graph import AssetGraph
from assetflow.graph.mapping import is_slice, resolve
from assetflow.metadata.outline import PublishedShape
from assetflow.metadata.recall import (
    Remembered,
    definition_parts,
    definitions,
    slice_digests,
)
from assetflow.model.asset import Source, SqlBody
from assetflow.model.columns import Column, ReadSet, Schema, united
from assetflow.model.fingerprint import fingerprint
from assetflow.model.mappings import AllPartitions
from assetflow.model.names import (
    AssetName,
    AssetPartition,
    CodeVersion,
    Digest,
    PartitionKey,
    VersionId,
    folded,
)
from assetflow.planning.audits import Audited, CheckFacts
from assetflow.planning.check_reads import (
    AskedIn,
    by_scope,
    check_facts,
    set_aside_settings,
)
from assetflow.planning.facts import SET_ASIDE, AssetFacts, InputFacts
from assetflow.planning.history import Candidate, History, Publication, VersionStored
from assetflow.planning.judge import Evidence
from assetflow.planning.plan import Current, Known, stored_targets
from assetflow.planning.reach import Slices
from assetflow.project.analysis import Analysis, Shape
from assetflow.warehouse.digests import digest_columns, has_columns
from assetflow.warehouse.digests_together import TOGETHER, digest_files, read_named
from assetflow.warehouse.parts import Part, scan_parts
from assetflow.warehouse.versions import stored_path

if TYPE_CHECKING:
    from assetflow.warehouse.connection import Engine


@dataclass(slots=True)
class Knowledge:
    """Everything known of a project in one environment, and what a run learns on its way.

    `shapes` are those of what is published. `past` is what was recalled of it, and grows
    with what this run and others store meanwhile; `reach` and `obsolete` are as in
    `Known`. `unseen` are the sources, and partitions of sources, that cannot be observed;
    in `sources` they are not. `notes` are what a plan says of sources. `done` was made
    by this run already.
    `versions` has each stored version that may be read. `wanted` are the read-sets of
    each upstream that its consumers have; their digests are computed together.
    """

    environment: str
    state: Path
    analysis: Analysis
    engine: Engine
    slices: Slices
    sources: Mapping[AssetPartition, SourceState]
    unseen: Mapping[AssetPartition, UnseenSource]
    source_shapes: Mapping[AssetName, Shape]
    shapes: Mapping[AssetName, PublishedShape]
    past: Remembered = field(default_factory=Remembered)
    reach: Mapping[AssetName, Collection[PartitionKey]] = field(default_factory=dict)
    obsolete: tuple[AssetPartition, ...] = ()
    unaudited: Collection[AssetName] = ()
    notes: tuple[tuple[AssetName, str], ...] = ()
    done: Collection[AssetPartition] = ()
    versions: dict[VersionId, VersionStored] = field(default_factory=dict)
    facts: dict[AssetName, AssetFacts] = field(default_factory=dict)
    wanted: dict[AssetName, set[ReadSet]] = field(default_factory=dict)
    added: dict[tuple[VersionId, ReadSet], Digest] = field(default_factory=dict)
    added_slices: dict[tuple[VersionId, str, ReadSet], dict[str, Digest]] = field(
        default_factory=dict
    )
    _slices: dict[VersionId, dict[tuple[str, ReadSet], dict[str, Digest]]] = field(
        default_factory=dict
    )
    _cuts: dict[AssetName, tuple[Cut, ...]] = field(default_factory=dict)
    _parts: dict[tuple[AssetName, CodeVersion], Mapping[str, str] | None] = field(
        default_factory=dict
    )
    _digests: dict[VersionId, dict[ReadSet, Digest]] = field(default_factory=dict)
    _undigested: dict[VersionId, VersionStored] = field(default_factory=dict)
    _there: dict[VersionId, bool] = field(default_factory=dict)
    _kept: dict[tuple[AssetName, CodeVersion], CodeVersion] = field(default_factory=dict)
    _shapes: dict[AssetName, Shape] = field(default_factory=dict)
    _by_state: dict[tuple[AssetName, VersionId], SourceState] = field(default_factory=dict)
    _results: KeptResults | None = None
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._by_state = {(name, one.state): one for (name, _), one in self.sources.items()}
        self._find_facts()

    def recall(self, past: Remembered) -> None:
        """Take what the store remembers of all that a plan may touch."""
        self.past = past
        known: Iterable[Publication | Candidate] = (
            *past.candidates.values(),
            *past.volatile.values(),
            *past.published.values(),
        )
        self.versions.update({one.version.version: one.version for one in known})

    @property
    def history(self) -> History:
        """Return the past as a plan takes it; what is learned shows in it."""
        past = self.past
        return History(past.published, past.candidates, past.volatile, past.audits)

    @property
    def graph(self) -> AssetGraph:
        """Return how the assets relate."""
        return self.analysis.graph

    @property
    def data(self) -> Path:
        """Return the folder of the warehouse."""
        return self.state / "data"

    @property
    def states(self) -> dict[AssetPartition, VersionId]:
        """Return the state of each source, of each of its partitions if it has some."""
        return {target: source.state for target, source in self.sources.items()}

    def source(self, name: AssetName, state: VersionId) -> SourceState | None:
        """Return the source whose `state` that is; None for a version of an asset."""
        return self._by_state.get((name, state))

    def states_of(self, name: AssetName) -> tuple[SourceState, ...]:
        """Return the states of a source, in the order of its partitions."""
        targets = (AssetPartition(name, key) for key in self.slices.keys.get(name, ()))
        return tuple(self.sources[target] for target in targets if target in self.sources)

    def known(self) -> Known:
        """Return what a plan is made from."""
        return Known(
            environment=self.environment,
            slices=self.slices,
            facts=self.facts,
            evidence=Evidence(self.history, self.digest_of, self.parts_of, self.is_there),
            current=self.current(),
            reach=self.reach,
            obsolete=self.obsolete,
            unknown={target: source.reason for target, source in self.unseen.items()},
            unaudited=self.unaudited,
            notes=self.notes,
            done=self.done,
        )

    def current(self) -> dict[AssetPartition, VersionId]:
        """Return the version of all that a plan may read: states, and what is published."""
        published = {target: one.version.version for target, one in self.past.published.items()}
        return {**published, **self.states}

    def settled_facts(self, target: AssetPartition, current: Current) -> AssetFacts:
        """Return the facts of `target` over the versions that it will really read."""
        read: dict[AssetName, dict[VersionId, None]] = {}
        for use in self.facts[target.asset].inputs:
            for one in stored_targets(self.slices, target, use):
                if one in current:
                    read.setdefault(use.upstream, {})[current[one]] = None
        shapes = {
            upstream: self._shape(upstream, read[upstream])
            if upstream in read
            else self.unread_shape(upstream)
            for upstream in self.graph.upstreams[target.asset]
        }
        if all(self._shapes.get(upstream) == shape for upstream, shape in shapes.items()):
            return self.facts[target.asset]
        facts = self._with_kept_code(self._facts(target.asset, shapes))
        with self._guard:
            self._want(facts)
        return facts

    def digest_of(
        self,
        upstream: AssetName,
        version: VersionId,
        read_set: ReadSet,
        window: str = "",
    ) -> Digest:
        """Return the digest of what is read of a version, or of the state of a source.

        With a `window`, of the slice of it that lies in that time.
        """
        if window:
            return self._slice_digest(upstream, version, read_set, window)
        source = self.source(upstream, version)
        if source is not None:
            wanted = self.wanted.get(upstream, ())
            with self._guard:
                if source.partition and read_set not in source.digests:
                    digest_together(
                        self._without(source, read_set), {read_set, *wanted}, self.engine
                    )
            return source.digest(read_set, wanted, self.engine)
        stored = self.versions[version]
        read_set = self._stored_part(upstream, read_set)
        has = {folded(column.name) for column in stored.schema}
        lacking = [name for name in read_set.columns or () if folded(name) not in has]
        if lacking and stored.format == "parquet":
            # An older partition: what a newer one has beside, readers of both find to be NULL.
            there = ReadSet.of(set(read_set.columns or ()) - set(lacking), ordered=read_set.ordered)
            found = self.digest_of(upstream, version, there)
            return Digest(fingerprint("lacks", *lacking, found))
        with self._guard:
            if version in self._undigested:
                self._digest_together(stored)
            known = self._digests.setdefault(version, dict(stored.digests))
            if stored.algorithm != self.engine.algorithm and not known.keys() - dict(
                stored.digests
            ):
                known.clear()
            if read_set not in known:
                self._compute(upstream, stored, read_set, known)
            return known[read_set]

    def _without(self, first: SourceState, read_set: ReadSet) -> Iterator[SourceState]:
        """Yield the states of a source, from `first` on, whose digest is not known."""
        yield first
        keys = self.slices.keys[first.source.name]
        for place in range(keys.index(first.partition) + 1, len(keys)):
            one = self.sources.get(AssetPartition(first.source.name, keys[place]))
            if one is not None and read_set not in one.digests:
                yield one

    def _slice_digest(
        self, upstream: AssetName, version: VersionId, read_set: ReadSet, window: str
    ) -> Digest:
        """Return the digest of a slice; those of all slices that are read are found together."""
        with self._guard:
            if version not in self._slices:
                self._slices[version] = slice_digests(self.state, version, self.engine.algorithm)
            known = self._slices[version]
            cut = next(one for one in self.cuts_of(upstream) if window in one.windows)
            if window not in known.get((cut.text, read_set), ()):
                self._compute_slices(upstream, version, cut, read_set)
            return known[cut.text, read_set][window]

    def _compute_slices(
        self, upstream: AssetName, version: VersionId, cut: Cut, read_set: ReadSet
    ) -> None:
        """Scan a whole for the digests of all slices and read-sets of it that are not known."""
        known, source = self._slices[version], self.source(upstream, version)
        schema = source.schema if source else self.versions[version].schema
        wanted = {
            read_set,
            *(one for one in self._read_by(upstream, cut) if has_columns(one, schema)),
        }
        windows = [
            each
            for text, each in cut.windows.items()
            if any(text not in known.get((cut.text, one), ()) for one in wanted)
        ]
        if source is not None:
            found = source.digest_slices(cut, windows, sorted(wanted, key=str), self.engine)
        else:
            scan = self.scan(upstream, [self.versions[version]])
            digits = self.graph.assets[upstream].options.float_digits
            found = cut.digests(self.engine.cursor(), scan, schema, wanted, windows, digits)
        text_of = {each.key: text for text, each in cut.windows.items()}
        for one in wanted:
            digests = {text_of[key]: digests[one] for key, digests in found.items()}
            known.setdefault((cut.text, one), {}).update(digests)
            self.added_slices.setdefault((version, cut.text, one), {}).update(digests)

    def _read_by(self, upstream: AssetName, cut: Cut) -> Iterator[ReadSet]:
        """Yield what the readers of a cut upstream read of it."""
        for reader in cut.readers:
            for use in self.facts[reader].inputs:
                if use.upstream == upstream and is_slice(use.mapping):
                    yield use.read_set

    def cuts_of(self, upstream: AssetName) -> tuple[Cut, ...]:
        """Return the ways in which an upstream without partitions is cut for its readers."""
        if upstream not in self._cuts:
            self._cuts[upstream] = cuts_of(upstream, self.slices)
        return self._cuts[upstream]

    def cut_scan(
        self, reader: AssetName, upstream: AssetName, keys: Collection[PartitionKey], whole: Whole
    ) -> str:
        """Return the SQL that reads of a whole what `keys` of `reader` are cut to."""
        own = self.slices.keys[reader]
        texts = dict.fromkeys(window.text for window in map(own.window, keys) if window)
        cut = next(one for one in self.cuts_of(upstream) if reader in one.readers)
        return cut.scan(whole.scan, whole.schema, [cut.windows[text] for text in texts])

    def _compute(
        self,
        upstream: AssetName,
        stored: VersionStored,
        read_set: ReadSet,
        known: dict[ReadSet, Digest],
    ) -> None:
        """Scan a stored version for the digests of all read-sets that are wanted of it."""
        wanted = {read_set, *self._fitting(upstream, stored)} - known.keys()
        scan = self.scan(upstream, [stored])
        digits = self.analysis.graph.assets[upstream].options.float_digits
        found = digest_columns(self.engine.cursor(), scan, stored.schema, wanted, digits)
        known.update(found)
        self.added.update({(stored.version, one): digest for one, digest in found.items()})

    def digest_later(self, made: VersionStored) -> None:
        """Take note of a version of this run, if it was stored without its digests."""
        if not made.digests and made.format == "parquet":
            with self._guard:
                self._undigested[made.version] = made

    def digest_rest(self) -> None:
        """Find the digests of what was stored without them, and not asked for meanwhile."""
        with self._guard:
            while self._undigested:
                self._digest_together(next(iter(self._undigested.values())))

    def _digest_together(self, first: VersionStored) -> None:
        """Find in one scan the digests that `first` and others of its asset are to have."""
        like = (one for one in self._undigested.values() if _is_like(one, first))
        others = [one for one in islice(like, TOGETHER) if one is not first]
        together = [first, *others[: TOGETHER - 1]]
        wanted = [ReadSet(ordered=first.ordered), *self._fitting(first.asset, first)]
        paths = [stored_path(self.data, one.path, one.size_bytes) for one in together]
        found = digest_files(
            self.engine.cursor(),
            read_named(paths),
            [[path] for path in paths],
            first.schema,
            dict.fromkeys(wanted),
            self.graph.assets[first.asset].options.float_digits,
            are_small=True,
        )
        for one, digests in zip(together, found, strict=True):
            self._digests[one.version] = digests
            self.added.update({(one.version, each): text for each, text in digests.items()})
            del self._undigested[one.version]

    def _fitting(self, upstream: AssetName, stored: VersionStored) -> Collection[ReadSet]:
        names = {column.name for column in stored.schema}
        return [one for one in self.wanted.get(upstream, ()) if names.issuperset(one.columns or ())]

    def scan(self, name: AssetName, versions: Sequence[VersionStored]) -> str:
        """Return the SQL that reads `versions` of partitions of an asset as one table."""
        parts = [Part(one.path, one.size_bytes, one.partition, one.packed) for one in versions]
        schemas = {one.schema for one in versions}
        return scan_parts(
            self.data,
            parts,
            key_column=self._key_column(name),
            schema=united(one.schema for one in versions) if len(schemas) > 1 else (),
            ordered=all(one.ordered for one in versions),
        )

    def schema_of(self, name: AssetName) -> Schema:
        """Return the columns that are expected of what is read but has no rows."""
        return self.unread_shape(name).schema or ()

    def parts_of(self, asset: AssetName, code_version: str) -> Mapping[str, str] | None:
        """Return the named parts of an earlier code version, if it is remembered."""
        with self._guard:
            wanted = asset, CodeVersion(code_version)
            if wanted not in self._parts:
                self._read_parts(wanted)
            return self._parts[wanted]

    def _read_parts(self, wanted: tuple[AssetName, CodeVersion]) -> None:
        """Read the parts of every code version that changed: who asks for one asks for more."""
        changed = {wanted, *self._changed_codes()}
        found = definition_parts(self.state, {code for _, code in changed})
        for one in changed:
            self._parts[one] = dict(found[one]) if one in found else None

    def _changed_codes(self) -> Iterator[tuple[AssetName, CodeVersion]]:
        """Yield the recorded code versions of what is published that are not those of now."""
        for target, last in self.past.published.items():
            facts = self.facts.get(target.asset)
            made = last.materialization
            if facts is not None and facts.code_version not in ("", made.code_version):
                yield target.asset, made.code_version

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
                    if made.is_volatile and made.outcome != "rejected":
                        self.past.volatile[target] = one

    @property
    def results(self) -> KeptResults:
        """Return how checks came out before, of all that a plan may audit."""
        with self._guard:
            if self._results is None:
                facts = (self.facts[name] for name in self.reach)
                assets = {one.asset for one in facts if one.checks or one.whole}
                versions = [one.version for one in self.versions.values() if one.asset in assets]
                self._results = KeptResults(self.state, assets, versions)
            return self._results

    def learn_audits(self, audits: Iterable[Audited]) -> None:
        """Add audits of versions that happened meanwhile."""
        with self._guard:
            for one in audits:
                self.past.audits.setdefault(one.version, []).append(replace(one, results=()))

    def _is_newest(self, target: AssetPartition, one: Candidate) -> bool:
        known = self.past.volatile.get(target)
        return known is None or known.materialization.created_at <= one.materialization.created_at

    def keep_codes(self, published: Mapping[AssetName, CodeVersion]) -> bool:
        """Find code versions that differ by the rules alone, after an upgrade of these.

        Old texts are hashed again by today's rules; where that gives today's code
        version, the one of what is `published` is kept, so that no key changes. Return
        whether one was.
        """
        differing = {
            name: code
            for name, code in published.items()
            if self.facts[name].code_version not in ("", code)
        }
        if not differing:
            return False
        for (name, code), seen in definitions(self.state, list(differing.values())).items():
            asset = self.analysis.graph.assets[name] if differing.get(name) == code else None
            if asset is None or seen.canonicalizer == self.analysis.rules(asset):
                continue
            again = self.analysis.code_version_by_rules_of_now(asset, seen.source, dict(seen.parts))
            if again == self.facts[name].code_version:
                self._kept[name, again] = code
                self.facts[name] = self._with_kept_code(self.facts[name])
        return bool(self._kept)

    def _with_kept_code(self, facts: AssetFacts) -> AssetFacts:
        kept = self._kept.get((facts.asset, facts.code_version))
        return facts if kept is None else replace(facts, code_version=kept)

    def _find_facts(self) -> None:
        """Work out the facts of every asset, each from the shapes of those before it."""
        graph = self.analysis.graph
        shapes = self._shapes
        shapes.update(self.source_shapes)
        with ThreadPoolExecutor(1) as ahead:
            if self.analysis.cache.is_new:
                ahead.submit(self.analysis.describe_ahead, dict(shapes))
            for name in graph.assets:
                facts = self._checked(self._facts(name, shapes))
                self.facts[name] = facts
                self._want(facts)
                shapes[name] = self._with_key_column(name, self._expected_shape(name, facts))

    def _facts(self, name: AssetName, shapes: Mapping[AssetName, Shape]) -> AssetFacts:
        """Return the facts of an asset; which key columns it reads is one of its settings.

        Digests do not know these columns: that other keys are read is in the trace anyway.
        """
        facts = self.analysis.facts(name, shapes)
        columns = {use.upstream: self._key_column(use.upstream) for use in facts.inputs}
        read = tuple(
            (f"key column of {use.name}", columns[use.upstream])
            for use in facts.inputs
            if columns[use.upstream]
            and (use.read_set.columns is None or columns[use.upstream] in use.read_set.columns)
        )
        checks, whole = self._checks_of(name)
        if not read and not checks and not whole:
            return facts
        settings = (*facts.settings, *read, *set_aside_settings(checks))
        filters = self._filters(name, checks)
        return replace(facts, settings=settings, checks=checks, filters=filters, whole=whole)

    def _filters(self, name: AssetName, checks: Iterable[CheckFacts]) -> tuple[InputFacts, ...]:
        """Return what checks that set rows aside read of others: all there is of them."""
        keys, own = self.slices.keys, self.slices.keys[name].partitions
        return tuple(
            InputFacts(
                name=f"{facts.check.name} of {read.upstream}",
                upstream=read.upstream,
                form=SET_ASIDE,
                read_set=read.read_set,
                mapping=resolve(AllPartitions() if above else None, own, above),
            )
            for facts in checks
            if facts.check.on_failure == "quarantine"
            for read in facts.reads
            for above in (keys[read.upstream].partitions,)
        )

    def _checks_of(self, name: AssetName) -> tuple[tuple[CheckFacts, ...], tuple[CheckFacts, ...]]:
        """Return the checks of each partition of an asset, and those of all together."""
        checks = self.graph.assets[name].options.checks
        if not checks:
            return (), ()
        keys = self.slices.keys
        aligned = {
            other
            for check in checks
            for one in check.inputs
            if keys[other := AssetName(one.upstream or one.name)] is keys[name]
        }
        asked_in = AskedIn(self.environment, self.analysis.declarations.settings.timezone)
        own, whole = by_scope(checks, is_partitioned=keys[name].partitions is not None)
        return check_facts(name, own, asked_in, aligned), check_facts(name, whole, asked_in)

    def _key_column(self, name: AssetName) -> str:
        """Return under which name readers of an asset see the partition key, "" where not."""
        asset = self.graph.assets.get(name)
        return "" if asset is None else asset.options.key_column

    def _with_key_column(self, name: AssetName, shape: Shape) -> Shape:
        """Return what readers see of a stored `shape`: the partition key too, if so declared."""
        column = self._key_column(name)
        if not column or shape.schema is None:
            return shape
        return replace(shape, schema=(*shape.schema, Column(column, "VARCHAR")))

    def _stored_part(self, upstream: AssetName, read_set: ReadSet) -> ReadSet:
        """Return what of `read_set` is stored: the partition key is not."""
        column = self._key_column(upstream)
        if not column or column not in (read_set.columns or ()):
            return read_set
        stored = (name for name in read_set.columns or () if name != column)
        return ReadSet.of(stored, ordered=read_set.ordered)

    def _checked(self, facts: AssetFacts) -> AssetFacts:
        """Return `facts` with a problem where options name columns that do not fit."""
        asset = self.graph.assets[facts.asset]
        if facts.schema is None or facts.problem is not None:
            return facts
        try:
            check_key_column(asset, facts.schema)
            if asset.options.event_time:
                check_event_time(asset.name, asset.options.event_time, facts.schema, asset.location)
        except (UnfitEventTime, KeyColumnTaken) as problem:
            return replace(facts, problem=problem)
        return facts

    def _expected_shape(self, name: AssetName, facts: AssetFacts) -> Shape:
        if facts.schema is not None:
            return Shape(facts.schema, facts.ordered, facts.is_expected)
        last = self.shapes.get(name)
        if last is None:
            return Shape()
        is_dynamic = isinstance(self.analysis.graph.assets[name].body, SqlBody)
        is_expected = (
            is_dynamic
            or facts.is_expected
            or not facts.is_settled
            or last.code_version != facts.code_version
        )
        return Shape(last.schema, last.ordered, is_expected)

    def _shape(self, upstream: AssetName, versions: Iterable[VersionId]) -> Shape:
        if upstream in self.graph.sources:
            return self._shapes[upstream]
        stored = [self.versions[version] for version in versions]
        schema = united(one.schema for one in stored)
        shape = Shape(schema, all(one.ordered for one in stored))
        return self._with_key_column(upstream, shape)

    def unread_shape(self, upstream: AssetName) -> Shape:
        """Return the shape of an upstream of which nothing is read: as known, or of the newest.

        Nothing is known of a source that was not looked at.
        """
        known = self._shapes.get(upstream, Shape())
        if upstream in self.graph.sources or self.facts[upstream].schema is not None:
            return known
        with self._guard:
            made = [one for one in self.versions.values() if one.asset == upstream]
        newest = max(made, key=lambda one: one.version, default=None)
        if newest is None:
            return known
        return self._with_key_column(upstream, Shape(newest.schema, newest.ordered))

    def _want(self, facts: AssetFacts) -> None:
        read = [(use.upstream, use.read_set) for use in facts.reads]
        checks = (*facts.checks, *facts.whole)
        read += [(one.upstream, one.read_set) for check in checks for one in check.reads]
        for upstream, read_set in read:
            stored = self._stored_part(upstream, read_set)
            self.wanted.setdefault(upstream, set()).add(stored)


def needed_sources(analysis: Analysis, targets: Collection[AssetName] | None) -> tuple[Source, ...]:
    """Return the sources among `targets` and of what they need; all read ones, for None."""
    graph = analysis.graph
    wanted = graph.assets.keys() if targets is None else targets
    reached = {*wanted, *graph.all_needed(wanted)}
    return tuple(source for name, source in graph.sources.items() if name in reached)


def _is_like(one: VersionStored, other: VersionStored) -> bool:
    """Whether two versions hold the same columns of the same asset."""
    return (one.asset, one.schema, one.ordered) == (other.asset, other.schema, other.ordered)


def are_there(data: str, path: str, size_bytes: int, format_: str) -> bool:
    """Whether the file of a version is under `data`; a table's with its recorded size."""
    try:
        found = os.stat(f"{data}/{path}")  # noqa: PTH116 - ten thousand of them
    except OSError:
        return False
    return format_ != "parquet" or found.st_size == size_bytes


def has_files(data: str, version: VersionStored) -> bool:
    """Whether the files of `version` are under `data`."""
    return are_there(data, version.path, version.size_bytes, version.format)
