"""What an asset's function is told about the step that it runs in."""

import json
import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path

from assetflow.errors import NotReportable, OutsideScratch
from assetflow.model.names import WHOLE, PartitionKey
from assetflow.model.partitions import (
    JOINS_DIMENSIONS,
    RANGE,
    KeySet,
    ProductPartitions,
    checked_keys,
)
from assetflow.model.windows import zone_of

_SCALARS = (str, bool, type(None))


@dataclass(frozen=True, slots=True)
class Partition:
    """What a step makes: one partition, or in a batch several, whose `keys` follow one another.

    `start` and `end` are in the time zone of the partitions, None where they are not of
    time. The `key` of a batch is its first and last, "2026-01-01..2026-01-31". Of an
    asset without partitions the key is "", there are no `keys`, and the value is false.
    """

    key: str = WHOLE
    start: datetime | None = None
    end: datetime | None = None
    keys: tuple[PartitionKey, ...] = ()
    dimensions: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keys)

    def __str__(self) -> str:
        return self.key

    def __getitem__(self, dimension: str) -> PartitionKey:
        """Return the part of the key that belongs to `dimension` of a product; KeyError else."""
        if dimension not in self.dimensions or len(self.keys) != 1:
            raise KeyError(dimension)
        return PartitionKey(self.key.split(JOINS_DIMENSIONS)[self.dimensions.index(dimension)])


def partition_of(keys: KeySet, wanted: Sequence[PartitionKey]) -> Partition:
    """Return what a step that makes `wanted`, in the order of `keys`, is told about them."""
    if keys.partitions is None or not wanted:
        return Partition()
    first, last = keys.window(wanted[0]), keys.window(wanted[-1])
    zone = zone_of(keys.time.timezone) if keys.time else None
    products = keys.partitions if isinstance(keys.partitions, ProductPartitions) else None
    return Partition(
        wanted[0] if len(wanted) == 1 else f"{wanted[0]}{RANGE}{wanted[-1]}",
        first.start.astimezone(zone) if first else None,
        last.end.astimezone(zone) if last else None,
        tuple(wanted),
        tuple(name for name, _ in products.dimensions) if products else (),
    )


class AssetContext:
    """The facts of one step, a logger, a scratch folder, and `report` for metadata.

    The executor makes it; a unit test may, with `AssetContext()`. `partition` may be given
    as a key alone: then it has no start and no end.
    """

    def __init__(  # noqa: PLR0913 - each is one fact of the step, and all have a default
        self,
        asset: str = "",
        *,
        partition: Partition | str = WHOLE,
        run: str = "",
        attempt: int = 1,
        environment: str = "main",
        logger: logging.Logger | None = None,
        folder: Path | None = None,
    ) -> None:
        self.asset = asset
        self.partition = partition if isinstance(partition, Partition) else _alone(partition)
        self.run = run
        self.attempt = attempt
        self.environment = environment
        self.logger = logger or logging.getLogger("assetflow")
        self._folder = folder
        self._reported: dict[str, str] = {}
        self._added: dict[str, dict[PartitionKey, None]] = {}

    def report(self, **metadata: object) -> None:
        """Keep `metadata` with the materialization: numbers, texts, dates, lists and tables."""
        for name, value in metadata.items():
            self._reported[name] = json.dumps(_plain(name, value), allow_nan=False)

    def add_partitions(self, name: str, keys: Iterable[str]) -> None:
        """Add `keys` to the dynamic partitions `name` once the step has ended well.

        What reads them is made by the next run. Those that are there already stay as they
        are. Raises BadPartitionKey for what cannot be a key.
        """
        self._added.setdefault(name, {}).update(dict.fromkeys(checked_keys(keys)))

    @property
    def added(self) -> tuple[tuple[str, tuple[PartitionKey, ...]], ...]:
        """Return the partitions that were added, by the name of their definition."""
        return tuple((name, tuple(keys)) for name, keys in self._added.items())

    @property
    def reported(self) -> tuple[tuple[str, str], ...]:
        """Return what was reported, as names and JSON texts; the last word on a name counts."""
        return tuple(self._reported.items())

    def path(self, name: str) -> Path:
        """Return where a file or folder `name` that the asset returns can be written."""
        folder = self._scratch()
        path = Path(folder, name)
        if not name or ".." in path.parts or folder not in path.parents:
            raise OutsideScratch(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _scratch(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="assetflow-"))
        return self._folder


def _alone(key: str) -> Partition:
    return Partition(key, keys=(PartitionKey(key),)) if key else Partition()


def _plain(name: str, value: object) -> object:
    """Return `value` as JSON knows it; numbers that are none (NaN, infinity) as their text."""
    match value:
        case _ if isinstance(value, _SCALARS):
            return value
        case Integral():
            return int(value)
        case Real():
            return _plain_real(float(value))
        case date() | time() | Decimal() | Path():
            return str(value)
        case Mapping():
            return {str(key): _plain(name, part) for key, part in value.items()}
        case Sequence():
            return [_plain(name, part) for part in value]
    raise NotReportable(name, type(value).__qualname__)


def _plain_real(value: float) -> float | str:
    is_number = value - value == 0
    return value if is_number else str(value)
