"""Why a step runs, or does not: each reason is a value that prints itself.

The classes stand in order of weight: the first that holds is the headline of a step.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

from assetflow.model.names import AssetName


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause, with a stable `code` for scripts and a sentence for people."""

    code: ClassVar[str] = ""

    def as_json(self) -> Mapping[str, object]:
        """Return the code, the text and the facts of the reason."""
        return {"code": self.code, "text": str(self), **asdict(self)}

    @property
    def in_general(self) -> str:
        """Return the sentence without what differs from one partition of an asset to another."""
        return str(self)


@dataclass(frozen=True, slots=True)
class NeverMaterialized(Reason):
    """Nothing is published of it in this environment."""

    code: ClassVar[str] = "never_materialized"

    def __str__(self) -> str:
        return "never materialized"


@dataclass(frozen=True, slots=True)
class VersionMissing(Reason):
    """The files of the published version are gone, or not as they were written."""

    version: str
    code: ClassVar[str] = "version_missing"

    def __str__(self) -> str:
        return f"the files of version {self.version} are gone"

    @property
    def in_general(self) -> str:
        """Return the sentence without the version."""
        return "the files of their versions are gone"


@dataclass(frozen=True, slots=True)
class CodeChanged(Reason):
    """Its definition, or code that it reaches, is not what made the published version."""

    parts: tuple[str, ...]
    code: ClassVar[str] = "code_changed"

    def __str__(self) -> str:
        return f"code changed ({listed(self.parts)})" if self.parts else "code changed"


@dataclass(frozen=True, slots=True)
class InputChanged(Reason):
    """The content that it reads of an input is another.

    `partitions` are ranges of those that changed, where several are read.
    """

    input: str
    columns: tuple[str, ...] | None
    partitions: tuple[str, ...] = ()
    code: ClassVar[str] = "input_changed"

    def __str__(self) -> str:
        where = f" in {listed(self.partitions)}" if self.partitions else ""
        if self.columns is None:
            return f"'{self.input}' changed{where} (all of it is read)"
        if not self.columns:
            return f"'{self.input}' changed{where} (its row count is read)"
        return f"'{self.input}' changed{where} (reads {listed(self.columns)})"

    @property
    def in_general(self) -> str:
        """Return the sentence without the partitions of the input."""
        return str(replace(self, partitions=()))


@dataclass(frozen=True, slots=True)
class InputAdded(Reason):
    """It reads an input that it did not read before."""

    input: str
    code: ClassVar[str] = "input_added"

    def __str__(self) -> str:
        return f"reads '{self.input}' now"


@dataclass(frozen=True, slots=True)
class InputRemoved(Reason):
    """It no longer reads an input that it read before."""

    input: str
    code: ClassVar[str] = "input_removed"

    def __str__(self) -> str:
        return f"no longer reads '{self.input}'"


@dataclass(frozen=True, slots=True)
class RepairRequested(Reason):
    """It can give other data, and a check of `asset` failed that this could mend."""

    check: str
    asset: AssetName
    code: ClassVar[str] = "repair_requested"

    def __str__(self) -> str:
        return f"could repair {self.check} of '{self.asset}'"


@dataclass(frozen=True, slots=True)
class Overdue(Reason):
    """Data is older than the policy of `asset` allows, or will be after `due_at`."""

    asset: str
    policy: str
    due_at: str = ""
    code: ClassVar[str] = "overdue"

    def __str__(self) -> str:
        how = f"due at {self.due_at}" if self.due_at else "overdue"
        return f"'{self.asset}' is {how} ({self.policy})"


@dataclass(frozen=True, slots=True)
class RefreshRequested(Reason):
    """A volatile asset was asked for newer data."""

    code: ClassVar[str] = "refresh_requested"

    def __str__(self) -> str:
        return "refresh requested"


@dataclass(frozen=True, slots=True)
class Forced(Reason):
    """It was asked to run regardless."""

    code: ClassVar[str] = "forced"

    def __str__(self) -> str:
        return "forced"


@dataclass(frozen=True, slots=True)
class CheckChanged(Reason):
    """Its content follows from code and inputs, but has not met its checks as they are now.

    `checks` were added or changed; of `inputs`, which others read, the content is new.
    """

    checks: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    code: ClassVar[str] = "check_changed"

    def __str__(self) -> str:
        changed = f"checks changed ({listed(self.checks)})" if self.checks else ""
        names = listed(tuple(map(repr, self.inputs)))
        others = f"{names} changed, which its checks read" if self.inputs else ""
        return "; ".join(filter(None, (changed, others))) or "checks changed"


@dataclass(frozen=True, slots=True)
class UpstreamMayChange(Reason):
    """Provisional: an upstream runs first, and may or may not come out the same."""

    upstream: str
    code: ClassVar[str] = "upstream_may_change"

    def __str__(self) -> str:
        return f"'{self.upstream}' may change"


@dataclass(frozen=True, slots=True)
class UpToDate(Reason):
    """The key computed now is that of the published materialization."""

    code: ClassVar[str] = "up_to_date"

    def __str__(self) -> str:
        return "up to date"


@dataclass(frozen=True, slots=True)
class Verified(Reason):
    """Inputs were made again or have newer versions, but what is read of them is the same."""

    inputs: tuple[str, ...]
    code: ClassVar[str] = "verified"

    def __str__(self) -> str:
        return f"what it reads of {listed(tuple(map(repr, self.inputs)))} is the same"


@dataclass(frozen=True, slots=True)
class Reused(Reason):
    """A stored version was made from the same code and inputs."""

    version: str
    code: ClassVar[str] = "reused"

    def __str__(self) -> str:
        return f"version {self.version} has the same code and inputs"

    @property
    def in_general(self) -> str:
        """Return the sentence without the version."""
        return "stored versions have the same code and inputs"


@dataclass(frozen=True, slots=True)
class RejectedLastTime(Reason):
    """What the same code and inputs gave was rejected, by the same checks.

    `failed` are (check, what is wrong).
    """

    version: str
    failed: tuple[tuple[str, str], ...]
    code: ClassVar[str] = "rejected_last_time"

    def __str__(self) -> str:
        return f"the same code and inputs were rejected ({told(self.failed)})"

    @property
    def in_general(self) -> str:
        """Return the sentence without the rows of one partition."""
        names = listed(tuple(name for name, _ in self.failed))
        return f"the same code and inputs were rejected ({names})"


@dataclass(frozen=True, slots=True)
class Rejected(Reason):
    """What was made failed its audit; what was published before is served.

    `failed` are (check, what is wrong).
    """

    failed: tuple[tuple[str, str], ...]
    code: ClassVar[str] = "rejected"

    def __str__(self) -> str:
        return f"rejected: {told(self.failed)}"

    @property
    def in_general(self) -> str:
        """Return the sentence without the rows of one partition."""
        return f"rejected: {listed(tuple(name for name, _ in self.failed))}"


@dataclass(frozen=True, slots=True)
class UpstreamMissing(Reason):
    """An upstream has no published version and is not going to be made.

    `partitions` are ranges of those that are missing, where it has partitions.
    """

    upstream: str
    partitions: tuple[str, ...] = ()
    code: ClassVar[str] = "upstream_missing"

    def __str__(self) -> str:
        if self.partitions:
            return f"'{self.upstream}' has no {listed(self.partitions)}"
        return f"'{self.upstream}' was never materialized"

    @property
    def in_general(self) -> str:
        """Return the sentence without the partitions that are missing."""
        return f"'{self.upstream}' lacks partitions" if self.partitions else str(self)


@dataclass(frozen=True, slots=True)
class SourceUnknown(Reason):
    """A source that it is made from, directly or not, cannot be observed as it is now.

    `file` is the file, the pattern or the place of the function in question, `problem`
    one sentence, `hint` the way out.
    """

    source: str
    file: str
    problem: str
    hint: str
    code: ClassVar[str] = "source_unknown"

    def __str__(self) -> str:
        return f"'{self.source}' is unknown: {self.problem} {self.hint}"


@dataclass(frozen=True, slots=True)
class UpstreamFailed(Reason):
    """An upstream failed in this run, or could not run itself."""

    upstream: str
    code: ClassVar[str] = "upstream_failed"

    def __str__(self) -> str:
        return f"'{self.upstream}' failed"


@dataclass(frozen=True, slots=True)
class UpstreamRejected(Reason):
    """What it is made from was rejected, or was itself stopped by that."""

    upstream: str
    code: ClassVar[str] = "upstream_rejected"

    def __str__(self) -> str:
        return f"'{self.upstream}' was rejected"


@dataclass(frozen=True, slots=True)
class Superseded(Reason):
    """Another run published something else meanwhile, more often than can be followed."""

    code: ClassVar[str] = "superseded"

    def __str__(self) -> str:
        return "another run published something else meanwhile"


@dataclass(frozen=True, slots=True)
class Withdrawn(Reason):
    """It is no longer declared."""

    code: ClassVar[str] = "withdrawn"

    def __str__(self) -> str:
        return "no longer declared"


@dataclass(frozen=True, slots=True)
class NotSelected(Reason):
    """It is stale, but not part of what was selected."""

    asset: AssetName
    code: ClassVar[str] = "not_selected"

    def __str__(self) -> str:
        return f"'{self.asset}' is stale too, but not selected"


@dataclass(frozen=True, slots=True)
class RunStopped(Reason):
    """The run ended before the step's turn came."""

    code: ClassVar[str] = "run_stopped"

    def __str__(self) -> str:
        return "the run was stopped before"


WEIGHT = {
    reason: place
    for place, reason in enumerate(
        (
            Rejected,
            RejectedLastTime,
            UpstreamRejected,
            NeverMaterialized,
            VersionMissing,
            CodeChanged,
            InputChanged,
            InputAdded,
            InputRemoved,
            RepairRequested,
            Overdue,
            RefreshRequested,
            Forced,
            CheckChanged,
            UpstreamMayChange,
            UpToDate,
            Verified,
            Reused,
            SourceUnknown,
            UpstreamMissing,
            UpstreamFailed,
            Superseded,
            RunStopped,
            Withdrawn,
            NotSelected,
        )
    )
}
"""Reasons in order of weight: what was rejected first, whatever else would be done."""


def settled_to_nothing(provisional: tuple[Reason, ...]) -> Reason:
    """Return why a step did not have to run that was planned for the reasons `provisional`.

    >>> str(settled_to_nothing((UpstreamMayChange("orders"),)))
    "what it reads of 'orders' is the same"
    >>> str(settled_to_nothing((CodeChanged(()),)))
    'up to date'
    """
    awaited = [reason.upstream for reason in provisional if isinstance(reason, UpstreamMayChange)]
    return Verified(tuple(awaited)) if awaited else UpToDate()


def by_weight(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Return `reasons` with the weightiest first, each once."""
    return tuple(sorted(dict.fromkeys(reasons), key=lambda reason: WEIGHT[type(reason)]))


def listed(names: tuple[str, ...], most: int = 4) -> str:
    """Return `names` joined for a sentence, at most `most` of them.

    >>> listed(("a", "b", "c"), most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    rest = len(names) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def told(failed: tuple[tuple[str, str], ...]) -> str:
    """Return what checks found, for a sentence.

    >>> told((("amount_between", "12 of 30,411 rows failed"),))
    'amount_between: 12 of 30,411 rows failed'
    """
    return listed(tuple(f"{name}: {what}" for name, what in failed))
