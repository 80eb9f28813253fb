"""What is known of the past when a plan is made: versions, materializations, publications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from assetflow.model.columns import ReadSet, Schema
from assetflow.model.names import (
    AssetName,
    AssetPartition,
    CodeVersion,
    Digest,
    Key,
    MaterializationId,
    PartitionKey,
    RunId,
    VersionId,
)
from assetflow.planning.audits import Audited, AuditVerdict


@dataclass(frozen=True, slots=True)
class VersionStored:
    """One immutable content of an asset's partition, fsynced, and where it lies.

    `path` is relative to the warehouse; `format` is "parquet" or "files". `rows` is
    None for files. `digests` hold the whole digest and one for each known read-set. One
    that is `packed` shares its file with other partitions.
    """

    version: VersionId
    asset: AssetName
    partition: PartitionKey
    run: RunId
    created_at: datetime
    path: str
    format: str
    schema: Schema
    rows: int | None
    size_bytes: int
    ordered: bool
    algorithm: str
    digests: tuple[tuple[ReadSet, Digest], ...]
    packed: bool = False


@dataclass(frozen=True, slots=True)
class InputRead:
    """One input of a materialization, as its trace records it.

    `versions` are the version ids that were read, in the order of `partitions`; for a
    source, the id of the observed state. They and `upstream` are no part of the key.
    """

    name: str
    upstream: AssetName
    form: str
    mapping: str
    partitions: tuple[PartitionKey, ...]
    versions: tuple[VersionId, ...]
    read_set: ReadSet
    digest: Digest


@dataclass(frozen=True, slots=True)
class Materialized:
    """An asset's partition was made, or found to follow still from its inputs.

    `outcome` is materialized, unchanged, reused or verified; or rejected, where its audit
    failed: then nothing may publish it until it passed another. `settings` are the bound
    parameters and session settings of the trace, as (name, value). `metadata` is what
    the asset reported of itself, as (name, JSON text). `window` is the time that the
    partition stands for, as "start/end", "" where it stands for none.
    """

    materialization: MaterializationId
    run: RunId
    asset: AssetName
    partition: PartitionKey
    version: VersionId
    key: Key
    code_version: CodeVersion
    outcome: str
    is_volatile: bool
    created_at: datetime
    seconds: float
    settings: tuple[tuple[str, str], ...]
    inputs: tuple[InputRead, ...]
    metadata: tuple[tuple[str, str], ...] = ()
    window: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """What one pointer shows: a version under a materialization, at a place in the sequence."""

    sequence: int
    materialization: Materialized
    version: VersionStored


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored version that a materialization with the same key may publish again."""

    materialization: Materialized
    version: VersionStored


@dataclass(frozen=True, slots=True)
class RollUp:
    """What an environment serves of one asset, over all its partitions.

    `rows` is None where some of it has no count of rows; `materialized_at` is of the newest.
    `verdict` is the worst of the newest audits, None where there are none; `unmet` are the
    checks that did not pass. Of the partitions in `rejected` a newer version was.
    """

    published: int
    rows: int | None
    materialized_at: datetime | None
    verdict: AuditVerdict | None = None
    unmet: tuple[str, ...] = ()
    rejected: tuple[PartitionKey, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The past as one environment sees it.

    `published` are the current pointers, of all that a plan may need. `candidates` are by
    asset, partition and key. `volatile` is the newest accepted materialization of each
    volatile asset, which alone may be reused. `audits` are those of versions, oldest first.
    """

    published: Mapping[AssetPartition, Publication] = field(default_factory=dict)
    candidates: Mapping[tuple[AssetName, PartitionKey, Key], Candidate] = field(
        default_factory=dict
    )
    volatile: Mapping[AssetPartition, Candidate] = field(default_factory=dict)
    audits: Mapping[VersionId, Sequence[Audited]] = field(default_factory=dict)
