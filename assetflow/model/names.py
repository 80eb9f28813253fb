"""The names by which assets, partitions and versions are known, and what may be one."""

import re
from typing import NamedTuple, NewType

from assetflow.errors import BadName

AssetName = NewType("AssetName", str)
PartitionKey = NewType("PartitionKey", str)
VersionId = NewType("VersionId", str)
MaterializationId = NewType("MaterializationId", str)
RunId = NewType("RunId", str)
CodeVersion = NewType("CodeVersion", str)
Digest = NewType("Digest", str)
Key = NewType("Key", str)

WHOLE = PartitionKey("")
"""The one partition of an asset without partitions; JSON shows it as null."""

LONGEST_NAME = 200
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class AssetPartition(NamedTuple):
    """One partition of one asset: what a step makes and a version belongs to."""

    asset: AssetName
    partition: PartitionKey = WHOLE

    def __str__(self) -> str:
        return f"{self.asset}[{self.partition}]" if self.partition else self.asset


def check_name(name: str, what: str = "asset") -> AssetName:
    """Return `name` if it may name a `what`: words joined by dots, at most 200 characters.

    >>> check_name("staging.orders")
    'staging.orders'
    """
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise BadName(what, name)
    return AssetName(name)


def folded(name: str) -> str:
    """Return `name` as it is compared: without case, as DuckDB compares names."""
    return name.casefold()
