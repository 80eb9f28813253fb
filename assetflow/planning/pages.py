"""What the verbs answer for people to look at: pages and lines, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from assetflow.graph.lineage import LineageKind
from assetflow.model.columns import Column, ReadSet
from assetflow.model.declared_inputs import Location
from assetflow.model.names import WHOLE, AssetName, AssetPartition, PartitionKey, RunId, VersionId
from assetflow.model.partitions import KeySet
from assetflow.planning.check_pages import CheckLine, CheckOutcome
from assetflow.planning.freshness_pages import FreshnessLine
from assetflow.planning.results import AssetStatus, RunStatus
from assetflow.planning.steps import PartitionRange


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table or a query, and its columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One materialization of an asset, and the version that it gave.

    `rows` is None for files. `outcome` is materialized, unchanged, reused or verified.
    """

    version: VersionId
    materialized_at: datetime
    rows: int | None
    size_bytes: int
    run: RunId
    outcome: str
    is_published: bool
    partition: PartitionKey = WHOLE


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """The files of a version that is no table: `path` is the file, or the folder of `files`.

    `path` is relative to the project where it lies inside; `files` are (path below `path`,
    bytes), in order of their names, and empty for a single file.
    """

    path: str
    size_bytes: int
    files: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PartitionsPage:
    """The partitions of an asset or a source: what is declared, and what there is of it.

    `count` are all that the definition has, of which `published` are there and `missing`
    are not. `obsolete` are published, and the definition has them no more.
    """

    definition: str
    count: int
    published: tuple[PartitionRange, ...]
    missing: tuple[PartitionRange, ...]
    obsolete: tuple[PartitionRange, ...] = ()
    published_count: int = 0
    missing_count: int = 0
    files: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class AssetPage:
    """All there is to say of one asset or source.

    `read_by` maps each direct downstream to the columns that it reads. `versions` are
    newest first. `files` are what is published of an asset that makes no table. `metadata`
    maps each name that the asset reported to its (instant, JSON text), oldest first.
    `text` is the query or the function's source, "" for a source. `checks` are as they came
    out last, and `keys` the partitions that it has now. `freshness` is how it stands against
    its policy, None without one.
    """

    name: AssetName
    kind: LineageKind
    location: Location
    description: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    upstream: tuple[AssetName, ...] = ()
    downstream: tuple[AssetName, ...] = ()
    schema: tuple[Column, ...] | None = None
    read_by: Mapping[AssetName, ReadSet] = field(default_factory=dict)
    versions: tuple[VersionLine, ...] = ()
    files: KeptFiles | None = None
    metadata: Mapping[str, tuple[tuple[datetime, str], ...]] = field(default_factory=dict)
    sample_columns: tuple[str, ...] = ()
    sample_rows: tuple[tuple[object, ...], ...] = ()
    status: AssetStatus | None = None
    freshness: FreshnessLine | None = None
    text: str = ""
    partitions: PartitionsPage | None = None
    checks: tuple[CheckLine, ...] = ()
    keys: Mapping[AssetName, KeySet] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class DynamicKeys:
    """The keys of dynamic partitions, in the order in which they were added.

    `assets` are the assets and sources that have them.
    """

    name: str
    keys: tuple[PartitionKey, ...]
    assets: tuple[AssetName, ...]


@dataclass(frozen=True, slots=True)
class DynamicChange:
    """What was added to dynamic partitions, or removed, and what was there already."""

    name: str
    added: tuple[PartitionKey, ...] = ()
    removed: tuple[PartitionKey, ...] = ()
    known: tuple[PartitionKey, ...] = ()


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run; `duration_seconds` is None while it runs. `counts` are steps by outcome."""

    run_id: RunId
    status: RunStatus
    environment: str
    started_at: datetime
    duration_seconds: float | None
    counts: Mapping[str, int]
    command: str = ""


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step of a run that is remembered. `reasons` are (code, text)."""

    asset: AssetName
    partition: PartitionKey
    outcome: str
    reasons: tuple[tuple[str, str], ...]
    rows: int | None = None
    seconds: float = 0.0
    attempts: int = 1
    error: str = ""
    output: str = ""
    checks: tuple[CheckOutcome, ...] = ()


@dataclass(frozen=True, slots=True)
class RunPage:
    """One run with its steps, in the order in which they ended.

    `keys` are the partitions that its assets have now.
    """

    line: RunLine
    steps: tuple[StepLine, ...]
    keys: Mapping[AssetName, KeySet] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class StepDiff:
    """What a step would change, against the published version; `problem` if it cannot be told.

    `columns_retyped` are (name, type before, type after). Row counts are None where they
    are not known: `rows_before` of an asset that was never materialized, all of an asset
    that is not SQL.
    """

    target: AssetPartition
    columns_added: tuple[Column, ...] = ()
    columns_removed: tuple[Column, ...] = ()
    columns_retyped: tuple[tuple[str, str, str], ...] = ()
    rows_before: int | None = None
    rows_after: int | None = None
    rows_added: int | None = None
    rows_removed: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EnvironmentLine:
    """One environment: how many assets it shows, and when it was made and last changed."""

    name: str
    assets: int
    created_at: datetime | None
    last_published_at: datetime | None


@dataclass(frozen=True, slots=True)
class PublicationLine:
    """One publication of an environment, by whose number a state of it can be asked for.

    `published` counts the pointers that it moved, `withdrawn` those that it took away.
    """

    number: int
    published_at: datetime
    run: RunId
    published: int
    withdrawn: int
    command: str = ""


@dataclass(frozen=True, slots=True)
class PublicationSummary:
    """How many pointers of an environment were moved, and how many taken away.

    There is one for each partition; `assets` counts the assets that these belong to.
    `origin` is the environment that was promoted. `differing` are the settings that it has
    otherwise, so that what it shows may come of them: names by `variables`, `sources` and
    `config`.
    """

    environment: str
    published: int
    withdrawn: int
    origin: str = ""
    differing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assets: int = 0


@dataclass(frozen=True, slots=True)
class GcResult:
    """What was, or with `dry_run` would be, removed from the warehouse."""

    versions: int
    bytes: int
    dry_run: bool


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event of the audit trail."""

    event: str
    happened_at: datetime
    kind: str
    run: RunId | None
    environment: str
    asset: AssetName | None
    detail: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AuditResult:
    """Whether the chain of events holds, and its newest events, the newest last.

    `problem` says where the chain breaks, "" if it holds.
    """

    events: int
    ok: bool
    problem: str
    tail: tuple[EventLine, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at for the user's sake, and what to do about it."""

    name: str
    status: Literal["ok", "warn", "error"]
    text: str
    hint: str = ""
