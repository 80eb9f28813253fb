"""What a run came to, and how assets stand, as values."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from assetflow.model.names import AssetName, AssetPartition, PartitionKey, RunId
from assetflow.model.partitions import KeySet
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.reasons import Reason
from assetflow.planning.repair_pages import Mended
from assetflow.planning.steps import Outcome, PartitionRange

RunStatus = Literal["succeeded", "failed", "interrupted", "unpublished", "running"]
Sync = Literal["up_to_date", "stale", "missing", "unknown"]
FreshnessStatus = Literal["fresh", "due_soon", "overdue", "unknown", "no_policy"]
Health = Literal["passed", "warned", "failed", "unchecked"]


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one step of a run ended; `error` is the text shown to the user, "" if none.

    `checks` are those that its version met, carried over or not; `mended` those that a
    repair was about.
    """

    target: AssetPartition
    outcome: Outcome
    reasons: tuple[Reason, ...]
    rows: int | None = None
    seconds: float = 0.0
    error: str = ""
    output: str = ""
    attempts: int = 1
    checks: tuple[CheckOutcome, ...] = ()
    mended: tuple[Mended, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended, step by step in the order in which they ended.

    `left`, `keys` and `for_policies` are those of its plan; `notes` say what else the user
    should know.
    """

    run: RunId
    status: RunStatus
    duration_seconds: float
    steps: tuple[StepResult, ...]
    up_to_date: int
    problem: str = ""
    left: tuple[AssetPartition, ...] = ()
    keys: Mapping[AssetName, KeySet] = field(default_factory=dict, compare=False)
    notes: tuple[tuple[AssetName, str], ...] = ()
    for_policies: bool = False

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """Return how many steps ended in each outcome."""
        return Counter(step.outcome for step in self.steps)


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """How an asset stands on the three axes, and why.

    `behind` names upstreams that were published later than what it was made from.
    `partitions` counts its partitions by state, and `ranges` has those of each state but
    `up_to_date`; None where the asset has no partitions. Of the partitions in `rejected` a
    newer version was, and would be again.
    """

    asset: AssetName
    sync: Sync
    freshness: FreshnessStatus
    health: Health
    behind: tuple[AssetName, ...]
    partitions: Mapping[str, int]
    reasons: tuple[Reason, ...]
    materialized_at: datetime | None
    rows: int | None
    ranges: Mapping[str, tuple[PartitionRange, ...]] | None = None
    unmet: tuple[str, ...] = ()
    rejected: tuple[PartitionKey, ...] = ()
