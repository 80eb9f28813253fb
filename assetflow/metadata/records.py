"""What assetflow remembers: one frozen record for each table, as journals hold them.

Instants are UTC, aware. Every record has an id of its own or a natural key, so that
folding one twice changes nothing. What planning needs of them stands in `planning/history.py`.
"""

from dataclasses import dataclass
from datetime import datetime

from assetflow.model.columns import ColumnEdge, ReadSet, Schema
from assetflow.model.file_states import FileState
from assetflow.model.names import (
    WHOLE,
    AssetName,
    CodeVersion,
    Digest,
    MaterializationId,
    PartitionKey,
    RunId,
    VersionId,
)
from assetflow.planning.audits import Audited, FailingRowsKept
from assetflow.planning.history import InputRead, Materialized, VersionStored


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began, with what was asked of it, by the process `pid` on `host`."""

    run: RunId
    environment: str
    started_at: datetime
    command: str
    pid: int
    host: str
    user: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run ended: succeeded, failed, interrupted or unpublished; `counts` by outcome."""

    run: RunId
    status: str
    finished_at: datetime
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class StepFinished:
    """How one step ended. `reasons` are (code, text); `output` is what the step printed."""

    run: RunId
    asset: AssetName
    partition: PartitionKey
    outcome: str
    reasons: tuple[tuple[str, str], ...]
    started_at: datetime
    seconds: float
    rows: int | None
    materialization: MaterializationId | None
    error: str
    output: str
    attempts: int


@dataclass(frozen=True, slots=True)
class DefinitionSeen:
    """One code version of an asset, with its source text and its named parts.

    `parts` are (name, fingerprint): the functions, constants or output columns that
    the code version is made of. `canonicalizer` says which rules made the fingerprints.
    """

    asset: AssetName
    code_version: CodeVersion
    kind: str
    source: str
    parts: tuple[tuple[str, str], ...]
    canonicalizer: str
    path: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class LineageSeen:
    """The inputs, read-sets and column edges of one code version of an asset.

    `upstreams` are (input name in the code, upstream name).
    """

    asset: AssetName
    code_version: CodeVersion
    upstreams: tuple[tuple[str, AssetName], ...]
    read_sets: tuple[tuple[str, ReadSet], ...]
    column_edges: tuple[ColumnEdge, ...]


@dataclass(frozen=True, slots=True)
class DigestAdded:
    """A digest of a stored version that was computed later, when it was asked for."""

    version: VersionId
    read_set: ReadSet
    algorithm: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class SlicesDigested:
    """Digests of slices of a stored version, or of a state of a source, cut by its event time.

    `cut` says how, `digests` are by the window of the slice.
    """

    version: VersionId
    cut: str
    read_set: ReadSet
    algorithm: str
    digests: tuple[tuple[str, Digest], ...]


@dataclass(frozen=True, slots=True)
class EventTimeFound:
    """The newest event time of a stored version, or of a state of a source; None for no time.

    `timed_by` says by which column, and in which time zone.
    """

    version: VersionId
    timed_by: str
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class PublicationChange:
    """One pointer to move: from `expected` (a sequence number, 0 for none) to a new target.

    `version` None withdraws the asset's partition.
    """

    asset: AssetName
    partition: PartitionKey
    expected: int
    version: VersionId | None
    materialization: MaterializationId | None


@dataclass(frozen=True, slots=True)
class Published:
    """A set of pointers that move together or not at all, under compare-and-set."""

    publication: str
    run: RunId
    environment: str
    published_at: datetime
    changes: tuple[PublicationChange, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """A state of a source that differs from the one before. `state` names it.

    For a source with `observe=`, `files` is empty and `answer` is what it said. A
    `partition` of a source has states of its own.
    """

    source: AssetName
    state: VersionId
    run: RunId
    observed_at: datetime
    schema: Schema
    rows: int | None
    files: tuple[FileState, ...]
    answer: str
    algorithm: str
    digests: tuple[tuple[ReadSet, Digest], ...]
    partition: PartitionKey = WHOLE


@dataclass(frozen=True, slots=True)
class VersionsPacked:
    """Stored versions moved into one file; what they hold is as it was.

    `path` is relative to the warehouse. `versions` are in the order of the file.
    """

    run: RunId
    asset: AssetName
    path: str
    size_bytes: int
    rows: int | None
    packed_at: datetime
    versions: tuple[tuple[VersionId, PartitionKey], ...]


@dataclass(frozen=True, slots=True)
class PartitionsChanged:
    """Keys were added to the dynamic partitions `name`, and others removed, by `run` if by one."""

    change: str
    name: str
    added: tuple[PartitionKey, ...]
    removed: tuple[PartitionKey, ...]
    at: datetime
    run: RunId | None


@dataclass(frozen=True, slots=True)
class RepairHappened:
    """A repair of a failed check was tried, or mended it; or somebody looked at a dead letter.

    `kind` is tried, mended, retried or resolved; `note` is what was said by `user`.
    """

    happening: str
    run: RunId | None
    environment: str
    asset: AssetName
    partition: PartitionKey
    check_name: str
    happened_at: datetime
    kind: str
    note: str
    user: str


@dataclass(frozen=True, slots=True)
class EventHappened:
    """Something worth an audit: who did what to which asset, in which environment."""

    event: str
    happened_at: datetime
    kind: str
    run: RunId | None
    environment: str
    asset: AssetName | None
    detail: tuple[tuple[str, str], ...]


Record = (
    RunStarted
    | RunFinished
    | StepFinished
    | DefinitionSeen
    | LineageSeen
    | VersionStored
    | DigestAdded
    | SlicesDigested
    | EventTimeFound
    | Materialized
    | Audited
    | FailingRowsKept
    | Published
    | Observed
    | VersionsPacked
    | PartitionsChanged
    | RepairHappened
    | EventHappened
)

__all__ = [
    "Audited",
    "DefinitionSeen",
    "DigestAdded",
    "EventHappened",
    "EventTimeFound",
    "FailingRowsKept",
    "FileState",
    "InputRead",
    "LineageSeen",
    "Materialized",
    "Observed",
    "PartitionsChanged",
    "PublicationChange",
    "Published",
    "Record",
    "RepairHappened",
    "RunFinished",
    "RunStarted",
    "SlicesDigested",
    "StepFinished",
    "VersionStored",
    "VersionsPacked",
]
