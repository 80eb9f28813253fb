"""Why a repair re-materializes an upstream, or leaves it out: values that print themselves."""

from dataclasses import dataclass
from typing import ClassVar

from assetflow.planning.reasons import Reason, listed


@dataclass(frozen=True, slots=True)
class CanDiffer(Reason):
    """A volatile asset: it can give other data each time it runs."""

    code: ClassVar[str] = "volatile"

    def __str__(self) -> str:
        return "can give other data each time it runs"


@dataclass(frozen=True, slots=True)
class SourceChanged(Reason):
    """A source whose data are not those that were read."""

    source: str
    code: ClassVar[str] = "source_changed"

    def __str__(self) -> str:
        return f"'{self.source}' changed since it was read"


@dataclass(frozen=True, slots=True)
class Outdated(Reason):
    """An asset whose code or inputs changed: it is to run anyway."""

    because: str
    code: ClassVar[str] = "stale"

    def __str__(self) -> str:
        return f"is stale: {self.because}"


@dataclass(frozen=True, slots=True)
class Unrelated(Reason):
    """None of the columns that failed is made from it, nor are their rows chosen by it."""

    columns: tuple[str, ...]
    code: ClassVar[str] = "unrelated"

    def __str__(self) -> str:
        return f"{listed(self.columns)} is not made from it"


@dataclass(frozen=True, slots=True)
class SameData(Reason):
    """The same code on the same inputs would give the same data again."""

    code: ClassVar[str] = "same_data"

    def __str__(self) -> str:
        return "would give the same data again"


@dataclass(frozen=True, slots=True)
class SourceUnchanged(Reason):
    """A source that still is as it was read; whoever delivers it has to mend it."""

    code: ClassVar[str] = "source_unchanged"

    def __str__(self) -> str:
        return "is still as it was read: mend it where it comes from"


@dataclass(frozen=True, slots=True)
class OtherPartitions(Reason):
    """The partitions that failed are made from none of its partitions that could differ."""

    code: ClassVar[str] = "other_partitions"

    def __str__(self) -> str:
        return "the partitions that failed are not made from those that could differ"


@dataclass(frozen=True, slots=True)
class BehindNearer(Reason):
    """A nearer upstream is tried first."""

    nearer: str
    code: ClassVar[str] = "nearer_first"

    def __str__(self) -> str:
        return f"'{self.nearer}' is nearer and is tried first"
