"""How checks came out, for people to look at: of a step, of what is published, over time."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from assetflow.model.checks import CheckKind, OnFailure, Severity
from assetflow.model.columns import Column
from assetflow.model.declared_inputs import Location
from assetflow.model.names import WHOLE, AssetName, AssetPartition, PartitionKey, RunId, VersionId
from assetflow.model.partitions import KeySet
from assetflow.quality.answers import Answer, CheckStatus
from assetflow.quality.suggestions import Suggestion


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """How one check of one version came out, and what was declared of it that decides.

    `carried_over`: it was not asked again, because nothing that it read is different.
    `quarantined` rows were set aside, so that the rest could be published.
    """

    check: str
    kind: CheckKind
    answer: Answer
    columns: tuple[str, ...] = ()
    severity: Severity = "error"
    on_failure: OnFailure = "block"
    carried_over: bool = False
    quarantined: int = 0

    @property
    def status(self) -> CheckStatus:
        """Return the status; one that broke is told from one that failed."""
        return self.answer.status

    @property
    def has_failed(self) -> bool:
        """Whether it failed, or broke, at severity error."""
        return self.severity == "error" and self.status in ("failed", "errored")


@dataclass(frozen=True, slots=True)
class CheckPoint:
    """What a check came to at one moment of the past; `metric` is what is drawn."""

    evaluated_at: datetime
    status: CheckStatus
    metric: float | None = None


@dataclass(frozen=True, slots=True)
class FailingRows:
    """The failing rows that were kept, out of `total`; `place` is where all of them lie.

    `place` is relative to the project, "" where they are not kept.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]
    total: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check of one version of an asset, as it stands now.

    `is_published` says that readers see the version; else it was rejected, and what is
    published is older, and `data` is where it lies, relative to the project, "" where not in
    a file of its own. `run` is the one that evaluated it. `history` is of the partition,
    whatever the version, the oldest first. `place` is where the check is declared.
    """

    asset: AssetName
    version: VersionId
    is_published: bool
    outcome: CheckOutcome
    partition: PartitionKey = WHOLE
    description: str = ""
    place: Location | None = None
    evaluated_at: datetime | None = None
    run: RunId | None = None
    seconds: float = 0.0
    failing: FailingRows | None = None
    data: str = ""
    history: tuple[CheckPoint, ...] = ()

    @property
    def target(self) -> AssetPartition:
        """Return the partition that the version is one of."""
        return AssetPartition(self.asset, self.partition)


@dataclass(frozen=True, slots=True)
class ChecksPage:
    """The checks of the published versions, and of those that were rejected since.

    `unmade` have checks and no version yet that could be asked; `without` have no checks.
    """

    lines: tuple[CheckLine, ...]
    unmade: tuple[AssetName, ...] = ()
    without: tuple[AssetName, ...] = ()
    seconds: float = 0.0
    keys: Mapping[AssetName, KeySet] = field(default_factory=dict, compare=False)

    @property
    def counts(self) -> Mapping[CheckStatus, int]:
        """Return how many checks came out how."""
        return Counter(line.outcome.status for line in self.lines)

    @property
    def has_failed(self) -> bool:
        """Whether a check of severity error failed, or broke."""
        return any(line.outcome.has_failed for line in self.lines)

    @property
    def has_warned(self) -> bool:
        """Whether a check neither passed nor failed: it warned, or broke at severity warn."""
        unmet = ("warned", "failed", "errored")
        return any(
            line.outcome.status in unmet and not line.outcome.has_failed for line in self.lines
        )


@dataclass(frozen=True, slots=True)
class ProposalsPage:
    """The checks that are proposed for an asset, from a look at `rows` rows of it.

    `is_sql` says that it is declared by a header. `declared` more are left out, since it has
    them already.
    """

    asset: AssetName
    proposals: tuple[Suggestion, ...]
    rows: int
    is_sql: bool = False
    declared: int = 0
