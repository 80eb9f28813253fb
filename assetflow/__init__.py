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
    from assetflow.model.options import Retries

__version__ = "0.1.0"

_HOMES = {
    "AssetContext": "assetflow.model.context",
    "AssetflowError": "assetflow.errors",
    "Columns": "assetflow.model.forms",
    "Config": "assetflow.model.config",
    "From": "assetflow.model.forms",
    "Project": "assetflow.api",
    "Retries": "assetflow.model.options",
    "Secret": "assetflow.model.config",
    "asset": "assetflow.model.declare",
    "connect": "assetflow.api",
    "lineage": "assetflow.api",
    "load": "assetflow.api",
    "materialize": "assetflow.api",
    "plan": "assetflow.api",
    "read": "assetflow.api",
    "resource": "assetflow.model.declare",
    "source": "assetflow.model.declare",
    "status": "assetflow.api",
}

__all__ = [
    "AssetContext",
    "AssetflowError",
    "Columns",
    "Config",
    "From",
    "Project",
    "Retries",
    "Secret",
    "asset",
    "connect",
    "lineage",
    "load",
    "materialize",
    "plan",
    "read",
    "resource",
    "source",
    "status",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `--help` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'assetflow' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
