"""A project without files: assets are formulas over their inputs, a store is a dict.

Plans are made by the planner under test and carried out here, in a few lines; so what
the planner decides is held against a build from nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from assetflow.graph.graph import AssetGraph
from assetflow.graph.inference import infer
from assetflow.graph.mapping import PartitionMapping, resolve
from assetflow.model.asset import Asset, Options, Source, SqlBody
from assetflow.model.columns import EVERYTHING, Column, ColumnEdge, ReadSet
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.fingerprint import fingerprint
from assetflow.model.mappings import DeclaredMapping
from assetflow.model.names import (
    WHOLE,
    AssetName,
    AssetPartition,
    CodeVersion,
    Digest,
    MaterializationId,
    PartitionKey,
    RunId,
    VersionId,
)
from assetflow.model.partitions import Partitions, keys_of
from assetflow.planning.facts import AssetFacts, InputFacts
from assetflow.planning.history import (
    Candidate,
    History,
    Materialized,
    Publication,
    VersionStored,
)
from assetflow.planning.judge import Evidence
from assetflow.planning.plan import Known, plan, settle
from assetflow.planning.reach import Slices
from assetflow.planning.reasons import SourceUnknown
from assetflow.planning.steps import Plan, Request, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = (Column("a", "INTEGER"), Column("b", "INTEGER"), Column("c", "INTEGER"))
Row = Mapping[str, int]
ALL = Request()


@dataclass(frozen=True)
class Formula:
    """An asset whose columns a, b, c are sums over the columns it reads, modulo `modulus`.

    A modulus of 1 makes an asset that ignores its inputs. `reads` is by input, the columns.
    """

    reads: Mapping[str, tuple[str, ...]]
    salt: int = 0
    modulus: int = 7
    is_volatile: bool = False

    def of(self, rows: Mapping[str, Sequence[Row]], outside: int = 0) -> Row:
        total = sum(
            row[column]
            for name, columns in self.reads.items()
            for column in columns
            for row in rows[name]
        )
        total += self.salt + (outside if self.is_volatile else 0)
        return {
            "a": total % self.modulus,
            "b": (total * 3) % self.modulus,
            "c": self.salt,
        }

    @property
    def code(self) -> CodeVersion:
        reads = sorted((name, *columns) for name, columns in self.reads.items())
        numbers = (self.salt, self.modulus, self.is_volatile)
        return CodeVersion(fingerprint(str(reads), *map(str, numbers)))


@dataclass
class World:
    """Formulas and source rows as they are now, and what was made of them so far.

    What has `partitions` is made slice by slice; a source that has them has its rows in
    `parts`, of those slices that arrived. The sources that are `gone` cannot be observed.

    A volatile asset sees `outside`, which is another in each run; `seen` is what it saw when
    it made a version. Versions that are `lost` cannot be read any more.
    """

    formulas: dict[str, Formula]
    sources: dict[str, Row]
    outside: int = 0
    gone: set[str] = field(default_factory=set)
    partitions: dict[str, Partitions] = field(default_factory=dict)
    parts: dict[str, dict[PartitionKey, Row]] = field(default_factory=dict)
    mappings: dict[tuple[str, str], DeclaredMapping] = field(default_factory=dict)
    content: dict[VersionId, Row] = field(default_factory=dict)
    versions: dict[VersionId, VersionStored] = field(default_factory=dict)
    materializations: list[Materialized] = field(default_factory=list)
    published: dict[AssetPartition, Publication] = field(default_factory=dict)
    seen: dict[VersionId, int] = field(default_factory=dict)
    lost: set[VersionId] = field(default_factory=set)
    sequence: int = 0
    ran: list[str] = field(default_factory=list)

    def known(self, request: Request = ALL) -> Known:
        assets = [
            Asset(
                AssetName(name),
                SqlBody(""),
                Location("x"),
                tuple(Input(other, "sql") for other in formula.reads),
                Options(volatile=formula.is_volatile),
            )
            for name, formula in self.formulas.items()
        ]
        sources = [Source(AssetName(name), Location("x")) for name in (*self.sources, *self.parts)]
        graph, errors = infer(assets, sources, {asset.name: asset.inputs for asset in assets})
        assert not errors
        slices = self.slices(graph)
        return Known(
            environment="main",
            slices=slices,
            facts={AssetName(name): self.facts(name) for name in self.formulas},
            evidence=Evidence(
                history=self.history(),
                digest_of=self.digest_of,
                parts_of=lambda asset, version: None,
                is_there=lambda version: version.version not in self.lost,
            ),
            current=self.current(),
            reach={name: tuple(slices.keys[name]) for name in graph.assets},
            obsolete=tuple(
                target
                for target in self.published
                if target.partition not in slices.keys.get(target.asset, ())
            ),
            unknown={
                AssetPartition(AssetName(name)): SourceUnknown(
                    name, f"{name}.csv", "It is gone.", "Bring it."
                )
                for name in self.gone
            },
            done=request.done,
        )

    def slices(self, graph: AssetGraph) -> Slices:
        names = (*self.formulas, *self.sources, *self.parts)
        return Slices(
            graph,
            {AssetName(name): keys_of(self.partitions.get(name), NOW) for name in names},
            {
                (AssetName(name), other): self.mapping(name, other)
                for name, formula in self.formulas.items()
                for other in formula.reads
            },
        )

    def mapping(self, name: str, other: str) -> PartitionMapping:
        declared = self.mappings.get((name, other))
        return resolve(declared, self.partitions.get(name), self.partitions.get(other))

    def current(self) -> dict[AssetPartition, VersionId]:
        made = {target: one.version.version for target, one in self.published.items()}
        whole = {
            AssetPartition(AssetName(name)): self.state(name, rows)
            for name, rows in self.sources.items()
            if name not in self.gone
        }
        parts = {
            AssetPartition(AssetName(name), key): self.state(name, row)
            for name, rows in self.parts.items()
            for key, row in rows.items()
        }
        return {**made, **whole, **parts}

    def facts(self, name: str) -> AssetFacts:
        formula = self.formulas[name]
        return AssetFacts(
            asset=AssetName(name),
            code_version=formula.code,
            inputs=tuple(
                InputFacts(
                    other,
                    AssetName(other),
                    "sql",
                    ReadSet.of(columns),
                    self.mapping(name, other),
                )
                for other, columns in formula.reads.items()
            ),
            schema=SCHEMA,
            is_volatile=formula.is_volatile,
            column_edges=tuple(
                ColumnEdge(other, column, target, "aggregation")
                for other, columns in formula.reads.items()
                for column in columns
                for target in ("a", "b")
            ),
        )

    def history(self) -> History:
        accepted = [Candidate(made, self.versions[made.version]) for made in self.materializations]
        newest = {
            AssetPartition(one.materialization.asset, one.materialization.partition): one
            for one in accepted
        }
        return History(
            published=dict(self.published),
            candidates={
                (made.asset, made.partition, made.key): one
                for one in accepted
                for made in [one.materialization]
            },
            volatile={
                target: one for target, one in newest.items() if one.materialization.is_volatile
            },
        )

    def state(self, name: str, row: Row) -> VersionId:
        state = VersionId(fingerprint(name, str(sorted(row.items()))))
        self.content[state] = row
        return state

    def digest_of(
        self, asset: AssetName, version: VersionId, read_set: ReadSet, key: PartitionKey
    ) -> Digest:
        assert key == WHOLE, asset
        row = self.content[version]
        columns = row.keys() if read_set.columns is None else read_set.columns
        return Digest(fingerprint(*(f"{column}={row[column]}" for column in columns)))

    def plan(self, request: Request = ALL) -> Plan:
        return plan(self.known(request), request)

    def materialize(
        self, request: Request = ALL, *, die_after: int | None = None, failing: str = ""
    ) -> list[str]:
        """Carry out a plan; with `die_after`, die unpublished after that many steps ran.

        A step of the asset `failing` fails if it runs, and what is below is skipped.
        """
        self.outside += 1
        known = self.known(request)
        made = plan(known, request)
        current = dict(known.current)
        self.ran = []
        failed: set[AssetPartition] = set()
        staged: dict[AssetPartition, Publication | None] = {}
        for step in made.steps:
            if failed.intersection(step.waits_on):
                failed.add(step.target)
                continue
            if step.action in ("withdraw", "blocked"):
                if step.action == "withdraw":
                    staged[step.target] = None
                continue
            verdict = settle(known, step, known.facts[step.target.asset], current)
            if verdict.action is None:
                continue
            if verdict.action == "materialize" and len(self.ran) == die_after:
                return self.ran
            if verdict.action == "materialize" and step.target.asset == failing:
                failed.add(step.target)
                continue
            self.sequence += 1
            staged[step.target] = self._carry_out(step.target, verdict)
            current[step.target] = staged[step.target].version.version
        self._publish(staged)
        return self.ran

    def _publish(self, staged: Mapping[AssetPartition, Publication | None]) -> None:
        for target, publication in staged.items():
            if publication is None:
                del self.published[target]
            else:
                self.published[target] = publication

    def _carry_out(self, target: AssetPartition, verdict: Verdict) -> Publication:
        assert verdict.key is not None
        if verdict.action == "materialize":
            version = self._run(target, verdict)
        else:
            assert verdict.candidate is not None
            version = verdict.candidate.version
            assert version.version not in self.lost
            assert verdict.action == "verify" or self._may_be_reused(target, version)
        made = Materialized(
            materialization=MaterializationId(str(self.sequence)),
            run=RunId("r"),
            asset=target.asset,
            partition=target.partition,
            version=version.version,
            key=verdict.key,
            code_version=self.formulas[target.asset].code,
            outcome="materialized",
            is_volatile=self.formulas[target.asset].is_volatile,
            created_at=NOW,
            seconds=0,
            settings=(),
            inputs=verdict.inputs,
        )
        self.materializations.append(made)
        return Publication(self.sequence, made, version)

    def _run(self, target: AssetPartition, verdict: Verdict) -> VersionStored:
        self.ran.append(str(target))
        rows = {use.name: [self.content[one] for one in use.versions] for use in verdict.inputs}
        row = self.formulas[target.asset].of(rows, self.outside)
        last = self.published.get(target)
        if last is not None and last.version.version not in self.lost | self.differing(row):
            self.seen[last.version.version] = self.outside
            return last.version
        version = VersionId(f"v{self.sequence}")
        self.content[version] = row
        self.seen[version] = self.outside
        self.versions[version] = VersionStored(
            version=version,
            asset=target.asset,
            partition=target.partition,
            run=RunId("r"),
            created_at=NOW,
            path="",
            format="parquet",
            schema=SCHEMA,
            rows=1,
            size_bytes=1,
            ordered=False,
            algorithm="",
            digests=((EVERYTHING, self.digest_of(target.asset, version, EVERYTHING, WHOLE)),),
        )
        return self.versions[version]

    def differing(self, row: Row) -> set[VersionId]:
        """Return the versions that hold something else than `row`."""
        return {version for version, held in self.content.items() if held != row}

    def _may_be_reused(self, target: AssetPartition, version: VersionStored) -> bool:
        """Of a volatile asset only the newest may."""
        made = [
            one.version
            for one in self.materializations
            if (one.asset, one.partition) == (target.asset, target.partition)
        ]
        return not self.formulas[target.asset].is_volatile or made[-1] == version.version

    def takeable(self) -> set[tuple[str, str]]:
        """Return the assets and keys for which nothing should have to run."""
        newest = {one.asset: one for one in self.materializations}
        return {
            (one.asset, one.key)
            for one in self.materializations
            if one.version not in self.lost and (not one.is_volatile or newest[one.asset] == one)
        }

    def lose(self, name: str) -> None:
        """Let the files of all versions of an asset be lost."""
        self.lost |= {one.version for one in self.versions.values() if one.asset == name}

    def values(self) -> dict[str, Row]:
        return {str(t): self.content[p.version.version] for t, p in self.published.items()}

    def from_scratch(self) -> dict[str, Row]:
        """Return what formulas give, one after the other; the outside is as it was seen."""
        rows: dict[str, Row] = dict(self.sources)
        for name in self.known().graph.assets:
            published = self.published.get(AssetPartition(name))
            outside = self.seen[published.version.version] if published else 0
            given = {other: [rows[other]] for other in self.formulas[name].reads}
            rows[name] = self.formulas[name].of(given, outside)
        return {name: row for name, row in rows.items() if name not in self.sources}

    def built_anew(self) -> dict[str, Row]:
        """Return what a new world with the same formulas makes, slice by slice."""
        clean = World(dict(self.formulas), dict(self.sources), self.outside)
        clean.partitions, clean.parts, clean.mappings = self.partitions, self.parts, self.mappings
        clean.materialize()
        return clean.values()


def changed(world: World, name: str, **changes: object) -> None:
    """Edit one formula."""
    world.formulas[name] = replace(world.formulas[name], **changes)
