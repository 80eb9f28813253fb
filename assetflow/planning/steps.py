"""A plan and its steps, as values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Self

from assetflow.model.names import AssetName, AssetPartition, Key, PartitionKey
from assetflow.model.partitions import RANGE, KeySet
from assetflow.planning.facts import AssetFacts
from assetflow.planning.history import Candidate, InputRead, Publication
from assetflow.planning.reasons import Overdue, Reason

Action = Literal[
    "materialize", "may_materialize", "reuse", "verify", "check", "withdraw", "blocked"
]
"""What a plan will do with an asset's partition."""

Outcome = Literal[
    "materialized",  # ran, new content
    "unchanged",  # ran, same content as the published version
    "reused",  # a stored version with the same key was published
    "verified",  # nothing ran: what it reads of its inputs is the same
    "checked",  # nothing ran, nothing was published: its checks were asked
    "rejected",  # a check that blocks failed: what was published before is served
    "failed",
    "skipped",  # did not run: an upstream failed, the run was stopped
    "superseded",  # another run was faster, again and again
    "withdrawn",
]
"""How a step ended."""


class PartitionRange(NamedTuple):
    """The partitions from `first` to `last`, both included."""

    first: PartitionKey
    last: PartitionKey

    def __str__(self) -> str:
        return self.first if self.first == self.last else f"{self.first}{RANGE}{self.last}"


FEW_KEYS = 4


def ranges_of(keys: KeySet, wanted: Iterable[PartitionKey]) -> tuple[PartitionRange, ...]:
    """Return `wanted` as ranges of neighbours in the order of `keys`.

    A few keys that are not of time stand by themselves: nobody knows what lies between.
    """
    found = tuple(wanted)
    if keys.time is None and len(found) <= FEW_KEYS:
        order = {key: place for place, key in enumerate(keys)}
        in_order = sorted(found, key=lambda key: (order.get(key, len(order)), key))
        return tuple(PartitionRange(key, key) for key in in_order)
    return tuple(PartitionRange(first, last) for first, last in keys.ranges(found))


@dataclass(frozen=True, slots=True)
class OverdueRefresh:
    """Which partitions of an asset are made again, and the policies that ask for it."""

    keys: tuple[PartitionKey, ...]
    reasons: tuple[Overdue, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. `targets` None means everything, withdrawals included.

    `partitions` () means all that the definitions have; `latest`, the last of each.
    At most `max_partitions` of an asset run, the newest. `done` is what the run made already,
    when it plans again. With `exactly`, these partitions are looked at and no
    others; `repairs` run again, each for its reason. `overdue` is all that is looked at,
    where what is too old is brought back: of it volatile assets run again, others where
    their inputs changed.
    """

    targets: frozenset[AssetName] | None = None
    only: bool = False
    downstream: bool = False
    force: bool = False
    refresh: bool = False
    partitions: tuple[PartitionRange, ...] = ()
    latest: bool = False
    max_partitions: int | None = None
    done: frozenset[AssetPartition] = frozenset()
    exactly: frozenset[AssetPartition] | None = None
    repairs: Mapping[AssetPartition, Reason] = field(default_factory=dict, hash=False)
    overdue: Mapping[AssetName, OverdueRefresh] | None = field(default=None, hash=False)

    @classmethod
    def of_overdue(cls, overdue: Mapping[AssetName, OverdueRefresh]) -> Self:
        """Return the request to bring back what is too old, and nothing else."""
        return cls(frozenset(overdue), only=True, overdue=overdue)

    @property
    def is_everything(self) -> bool:
        """Whether nothing was selected, so that what is no longer declared is withdrawn."""
        return self.targets is None and not self.partitions and not self.latest


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with one asset's partition, and why. `action` None: nothing.

    `key` and `inputs` are known once nothing upstream is pending. A candidate `to_audit` has
    not met its checks as they are now.
    """

    action: Action | None
    reasons: tuple[Reason, ...]
    key: Key | None = None
    inputs: tuple[InputRead, ...] = ()
    candidate: Candidate | None = None
    to_audit: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One asset's partition in a plan: what will be done, why, and after which steps.

    It cannot do without those that it `waits_on`. Those `before_audit` only go first: its
    checks read what is served of them then, whatever becomes of them.
    """

    target: AssetPartition
    verdict: Verdict
    facts: AssetFacts | None
    last: Publication | None
    waits_on: tuple[AssetPartition, ...] = ()
    before_audit: tuple[AssetPartition, ...] = ()

    @property
    def action(self) -> Action:
        """Return what will be done; a step exists only if that is something."""
        if self.verdict.action is None:
            raise AssertionError(self.target)
        return self.verdict.action

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Return every reason that holds, the weightiest first."""
        return self.verdict.reasons


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, upstream first, and how many partitions of assets are up to date.

    `notes` are what the user should know of an asset beside its reasons: an
    order-dependent query, a read of the outside, a stale upstream that is not selected.
    `left` are the partitions that need something and are left for another time, because
    only so many were asked for. `keys` has the partitions of each asset that was looked at.
    `estimated_seconds` is what the steps that run cost before, together; None if nothing
    is known of it. It is `for_policies` where the least was asked for that keeps them.
    """

    environment: str
    steps: tuple[Step, ...]
    up_to_date: int
    notes: tuple[tuple[AssetName, str], ...] = ()
    left: tuple[AssetPartition, ...] = ()
    keys: Mapping[AssetName, KeySet] = field(default_factory=dict, compare=False)
    estimated_seconds: float | None = None
    for_policies: bool = False
