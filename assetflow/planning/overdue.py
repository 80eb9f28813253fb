"""Whether data is older than its policy allows, since when, and what holds it back. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from assetflow.model.cron import next_tick, tick_before
from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.names import AssetName
from assetflow.planning.data_time import DataTime
from assetflow.planning.results import FreshnessStatus

NOTICE = 0.2
"""The share of the bound that is a warning before it is due, where the policy does not say."""


@dataclass(frozen=True, slots=True)
class FreshnessFacts:
    """How an asset stands against its policy.

    `due_at` is when it becomes overdue, or did: unless its data becomes newer. `since` is
    set where it is overdue. `allowed_seconds` is the lag that it has then. `lag_seconds`
    and `data_time` are None where it never ages, or there is no telling.
    """

    status: FreshnessStatus
    data_time: datetime | None = None
    lag_seconds: float | None = None
    allowed_seconds: float | None = None
    due_at: datetime | None = None
    since: datetime | None = None
    next_deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What holds an asset back: the `path` from the root down to it, and if a run would help.

    `text` says it in one sentence. `behind` is the first on the path that lags behind the
    root; None where it is the root that holds back.
    """

    path: tuple[AssetName, ...]
    run_helps: bool
    text: str = ""
    behind: AssetName | None = None

    @property
    def root(self) -> AssetName:
        """Return the source or volatile asset that everything below is as old as."""
        return self.path[0]

    @property
    def blamed(self) -> tuple[AssetName, ...]:
        """Return the path from what holds back, which the text is about."""
        return self.path if self.behind is None else self.path[self.path.index(self.behind) :]


def judge_freshness(
    policy: FreshnessPolicy | None,
    data: DataTime | None,
    now: datetime,
    path_seconds: float = 0.0,
) -> FreshnessFacts:
    """Return how `data` stands against `policy` at `now`.

    It is overdue only after the instant at which it becomes so, and due soon when what
    is left is no more than `path_seconds`, the usual duration of making it anew. `data`
    None: there is none yet.
    """
    deadline = _next_deadline(policy, now)
    if data is None or not data.is_known:
        return FreshnessFacts("unknown" if policy else "no_policy", next_deadline=deadline)
    if data.at is None:
        return FreshnessFacts("fresh" if policy else "no_policy", next_deadline=deadline)
    lag = max((now - data.at).total_seconds(), 0.0)
    if policy is None:
        return FreshnessFacts("no_policy", data.at, lag)
    due_at = becomes_overdue(policy, data.at)
    warned_at = min(due_at - timedelta(seconds=path_seconds), _warned_at(policy, data.at))
    return FreshnessFacts(
        status="overdue" if now > due_at else "due_soon" if now > warned_at else "fresh",
        data_time=data.at,
        lag_seconds=lag,
        allowed_seconds=(due_at - data.at).total_seconds(),
        due_at=due_at,
        since=due_at if now > due_at else None,
        next_deadline=deadline,
    )


def becomes_overdue(policy: FreshnessPolicy, data_time: datetime) -> datetime:
    """Return the instant after which data of `data_time` is overdue.

    By a deadline that is the first time it fires when data is more than `within` old.
    """
    found = []
    if policy.max_lag_seconds is not None:
        found.append(data_time + timedelta(seconds=policy.max_lag_seconds))
    if policy.deadline:
        found.append(_missed_deadline(policy, data_time))
    return min(found)


def _missed_deadline(policy: FreshnessPolicy, data_time: datetime) -> datetime:
    satisfied = data_time + timedelta(seconds=policy.within_seconds)
    return next_tick(policy.deadline, policy.timezone, satisfied)


def _warned_at(policy: FreshnessPolicy, data_time: datetime) -> datetime:
    """Return from when on data of `data_time` is due soon by what the policy says."""
    found = []
    if policy.max_lag_seconds is not None:
        warn_lag = policy.warn_lag_seconds or policy.max_lag_seconds * (1 - NOTICE)
        found.append(data_time + timedelta(seconds=warn_lag))
    if policy.deadline:
        notice = timedelta(seconds=policy.within_seconds * NOTICE)
        found.append(_missed_deadline(policy, data_time) - notice)
    return min(found)


def needed_data_time(policy: FreshnessPolicy, at: datetime) -> datetime:
    """Return the oldest data time that is not overdue at `at`: the inverse of the above."""
    found = []
    if policy.max_lag_seconds is not None:
        found.append(at - timedelta(seconds=policy.max_lag_seconds))
    if policy.deadline:
        passed = tick_before(policy.deadline, policy.timezone, at)
        found.append(passed - timedelta(seconds=policy.within_seconds))
    return max(found)


def _next_deadline(policy: FreshnessPolicy | None, now: datetime) -> datetime | None:
    if policy is None or not policy.deadline:
        return None
    return next_tick(policy.deadline, policy.timezone, now)
