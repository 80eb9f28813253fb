"""What a repair would do, and what it came to, for people to look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from assetflow.graph.lineage import ColumnName
from assetflow.model.names import WHOLE, AssetName, PartitionKey, RunId
from assetflow.model.partitions import KeySet
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.reasons import Reason
from assetflow.quality.answers import Answer

RepairState = Literal["repairable", "nothing_differs", "cooling_down", "exhausted"]
"""`nothing_differs`: nothing upstream can give other data, so that no run would mend it."""


@dataclass(frozen=True, slots=True)
class RepairUpstream:
    """An upstream of a failed check: chosen to be made again, or left out, and why.

    `path` leads from the column that failed to that of the upstream; a column "" stands
    for the rows. `partitions` are those that would be made.
    """

    asset: AssetName
    reason: Reason
    path: tuple[ColumnName, ...] = ()
    partitions: tuple[PartitionKey, ...] = ()


@dataclass(frozen=True, slots=True)
class RepairLine:
    """A failed check, and what may mend it.

    `partitions` are those that failed. Of `max_attempts`, `attempts` were made; there is
    no other before `not_before`.
    """

    asset: AssetName
    outcome: CheckOutcome
    state: RepairState
    partitions: tuple[PartitionKey, ...] = ()
    chosen: tuple[RepairUpstream, ...] = ()
    left_out: tuple[RepairUpstream, ...] = ()
    attempts: int = 0
    max_attempts: int = 0
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class RepairPage:
    """The plan of a repair: a line for each failed check; none where nothing failed.

    Of the `unasked` assets it is not known: their checks were not asked as they are now.
    """

    lines: tuple[RepairLine, ...]
    environment: str = "main"
    keys: Mapping[AssetName, KeySet] = field(default_factory=dict, compare=False)
    unasked: tuple[AssetName, ...] = ()


@dataclass(frozen=True, slots=True)
class Mended:
    """What a repair changed for one check: how it came out before, and after."""

    check: str
    before: Answer
    after: Answer


@dataclass(frozen=True, slots=True)
class DeadLetterLine:
    """A partition whose repairs are used up: it stays rejected until somebody looks at it.

    `note` is what was said when it was resolved by hand, at `resolved_at`.
    """

    asset: AssetName
    check: str
    answer: Answer
    attempts: int
    since: datetime
    partition: PartitionKey = WHOLE
    run: RunId | None = None
    note: str = ""
    resolved_at: datetime | None = None
