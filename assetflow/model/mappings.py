"""Which partitions of an input a partition is made from, where a user says it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Missing = Literal["skip", "block"]


@dataclass(frozen=True, slots=True)
class Trailing:
    """The `count` windows of the input that end with this one: `Trailing(7)`, a week of days."""

    count: int


@dataclass(frozen=True, slots=True)
class Offset:
    """The window of the input that is `count` after this one: `Offset(-1)`, the one before."""

    count: int


@dataclass(frozen=True, slots=True)
class Latest:
    """The last partition that the input's definition has."""


@dataclass(frozen=True, slots=True)
class AllPartitions:
    """All partitions of the input; those that are `missing` are left out, or block."""

    missing: Missing = "skip"


DeclaredMapping: TypeAlias = Trailing | Offset | Latest | AllPartitions


def find_mapping_problem(mapping: object) -> str | None:
    """Return what is expected where `mapping` cannot work, else None."""
    match mapping:
        case Trailing(count) if not _is_number(count) or count < 1:
            return "a number of windows from 1"
        case Offset(count) if not _is_number(count):
            return "a number of windows, -1 for the one before"
        case AllPartitions(missing) if missing not in ("skip", "block"):
            return '"skip" or "block" for missing partitions'
        case Trailing() | Offset() | Latest() | AllPartitions():
            return None
    return "Trailing(n), Offset(n), Latest() or AllPartitions()"


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
