"""What `freshness` answers for people to look at: lines and histories, as plain values."""

import math
from dataclasses import dataclass
from datetime import datetime

from assetflow.model.freshness import StatedPolicy
from assetflow.model.names import AssetName
from assetflow.planning.overdue import Bottleneck, FreshnessFacts
from assetflow.planning.results import FreshnessStatus


@dataclass(frozen=True, slots=True)
class FreshnessLine:
    """How one asset or source stands against its policy.

    `bottleneck` is None where nothing ages, or nothing is known. `trend` are lags in
    seconds, the oldest first, at even distances. `notes` say what was capped and what is
    not asked again for now.
    """

    asset: AssetName
    facts: FreshnessFacts
    stated: StatedPolicy | None = None
    bottleneck: Bottleneck | None = None
    owners: tuple[str, ...] = ()
    trend: tuple[float | None, ...] = ()
    notes: tuple[str, ...] = ()
    is_source: bool = False


URGENCY: tuple[FreshnessStatus, ...] = ("overdue", "due_soon", "unknown", "fresh", "no_policy")
"""The states, the most urgent first."""


def urgency(line: FreshnessLine) -> tuple[int, float, str]:
    """Return what lines are ordered by: what is overdue for longest first."""
    due = line.facts.due_at
    return URGENCY.index(line.facts.status), due.timestamp() if due else math.inf, line.asset


@dataclass(frozen=True, slots=True)
class FreshnessPage:
    """All lines, the most urgent first, as of an instant."""

    at: datetime
    lines: tuple[FreshnessLine, ...]


@dataclass(frozen=True, slots=True)
class AgePoint:
    """From this instant on, until the next point, an asset has this data time.

    None where there was none, or where it never ages (`is_ageless`).
    """

    at: datetime
    data_time: datetime | None
    is_ageless: bool = False


@dataclass(frozen=True, slots=True)
class FreshnessHistory:
    """How old an asset was, from `start` to `end`.

    `share_fresh` is the share of the time in which it was not overdue, of the time in
    which there was data; None without a policy, or without data. `budget_left_seconds` is
    how long it may be overdue yet, within the policy's `slo`.
    """

    asset: AssetName
    stated: StatedPolicy | None
    start: datetime
    end: datetime
    points: tuple[AgePoint, ...]
    share_fresh: float | None = None
    budget_seconds: float | None = None
    budget_left_seconds: float | None = None
