"""Asset-centric data materialization: declare tables, and the least that makes them right runs."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetflow.api import (
        Project,
        connect,
        lineage,
        load,
        materialize,
        plan,
        read,
        status,
    )
    from assetflow.errors import AssetflowError
    from assetflow.model.config import Config, Secret
    from assetflow.model.context import AssetContext
    from assetflow.model.declare import asset, resource, source
    from assetflow.model.forms import Columns, From
    from assetflow.model.freshness import Freshness
    from assetflow.model.mappings import AllPartitions, Latest, Offset, Trailing
    from assetflow.model.options import Retries
    from assetflow.model.partitions import (
        daily,
        dynamic,
        hourly,
        monthly,
        product,
        static,
        weekly,
    )

__version__ = "0.1.0"

_HOMES = {
    "AllPartitions": "assetflow.model.mappings",
    "AssetContext": "assetflow.model.context",
    "AssetflowError": "assetflow.errors",
    "Columns": "assetflow.model.forms",
    "Config": "assetflow.model.config",
    "Freshness": "assetflow.model.freshness",
    "From": "assetflow.model.forms",
    "Latest": "assetflow.model.mappings",
    "Offset": "assetflow.model.mappings",
    "Project": "assetflow.api",
    "Retries": "assetflow.model.options",
    "Secret": "assetflow.model.config",
    "Trailing": "assetflow.model.mappings",
    "asset": "assetflow.model.declare",
    "connect": "assetflow.api",
    "daily": "assetflow.model.partitions",
    "dynamic": "assetflow.model.partitions",
    "freshness": "assetflow.api",
    "hourly": "assetflow.model.partitions",
    "lineage": "assetflow.api",
    "load": "assetflow.api",
    "materialize": "assetflow.api",
    "monthly": "assetflow.model.partitions",
    "plan": "assetflow.api",
    "product": "assetflow.model.partitions",
    "read": "assetflow.api",
    "resource": "assetflow.model.declare",
    "source": "assetflow.model.declare",
    "static": "assetflow.model.partitions",
    "status": "assetflow.api",
    "weekly": "assetflow.model.partitions",
}

__all__ = [
    "AllPartitions",
    "AssetContext",
    "AssetflowError",
    "Columns",
    "Config",
    "Freshness",
    "From",
    "Latest",
    "Offset",
    "Project",
    "Retries",
    "Secret",
    "Trailing",
    "asset",
    "connect",
    "daily",
    "dynamic",
    "freshness",
    "hourly",
    "lineage",
    "load",
    "materialize",
    "monthly",
    "plan",
    "product",
    "read",
    "resource",
    "source",
    "static",
    "status",
    "weekly",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `--help` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'assetflow' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
