"""What an asset's function is told about the step that it runs in."""

import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path

from assetflow.errors import NotReportable, OutsideScratch
from assetflow.model.names import WHOLE, PartitionKey

_SCALARS = (str, bool, type(None))


class AssetContext:
    """The facts of one step, a logger, a scratch folder, and `report` for metadata.

    The executor makes it; a unit test may, with `AssetContext()`.
    """

    def __init__(  # noqa: PLR0913 - each is one fact of the step, and all have a default
        self,
        asset: str = "",
        *,
        partition: PartitionKey = WHOLE,
        run: str = "",
        attempt: int = 1,
        environment: str = "main",
        logger: logging.Logger | None = None,
        folder: Path | None = None,
    ) -> None:
        self.asset = asset
        self.partition = partition
        self.run = run
        self.attempt = attempt
        self.environment = environment
        self.logger = logger or logging.getLogger("assetflow")
        self._folder = folder
        self._reported: dict[str, str] = {}

    def report(self, **metadata: object) -> None:
        """Keep `metadata` with the materialization: numbers, texts, dates, lists and tables."""
        for name, value in metadata.items():
            self._reported[name] = json.dumps(_plain(name, value), allow_nan=False)

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
