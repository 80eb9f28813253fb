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
    from assetflow.interop.expectation_results import expectations_result
    from assetflow.interop.pandera_results import pandera_result
    from assetflow.model.checks import CheckResult
    from assetflow.model.config import Config, Secret
    from assetflow.model.context import AssetContext
    from assetflow.model.declare import asset, resource, source
    from assetflow.model.declare_checks import (
        accepted_values,
        aggregate,
        anomaly,
        between,
        check,
        column_types,
        drift,
        equal_rows,
        expression,
        matches,
        monotonic,
        not_null,
        recent,
        references,
        row_count,
        string_length,
        unchanged_schema,
        unique,
    )
    from assetflow.model.forms import Columns, From
    from assetflow.model.freshness import Freshness
    from assetflow.model.mappings import AllPartitions, Latest, Offset, Trailing
    from assetflow.model.options import Column, Retries
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
    "CheckResult": "assetflow.model.checks",
    "Column": "assetflow.model.options",
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
    "accepted_values": "assetflow.model.declare_checks",
    "aggregate": "assetflow.model.declare_checks",
    "anomaly": "assetflow.model.declare_checks",
    "asset": "assetflow.model.declare",
    "between": "assetflow.model.declare_checks",
    "check": "assetflow.model.declare_checks",
    "column_types": "assetflow.model.declare_checks",
    "connect": "assetflow.api",
    "daily": "assetflow.model.partitions",
    "drift": "assetflow.model.declare_checks",
    "dynamic": "assetflow.model.partitions",
    "equal_rows": "assetflow.model.declare_checks",
    "expectations_result": "assetflow.interop.expectation_results",
    "expression": "assetflow.model.declare_checks",
    "freshness": "assetflow.api",
    "hourly": "assetflow.model.partitions",
    "lineage": "assetflow.api",
    "load": "assetflow.api",
    "matches": "assetflow.model.declare_checks",
    "materialize": "assetflow.api",
    "monotonic": "assetflow.model.declare_checks",
    "monthly": "assetflow.model.partitions",
    "not_null": "assetflow.model.declare_checks",
    "pandera_result": "assetflow.interop.pandera_results",
    "plan": "assetflow.api",
    "product": "assetflow.model.partitions",
    "read": "assetflow.api",
    "recent": "assetflow.model.declare_checks",
    "references": "assetflow.model.declare_checks",
    "resource": "assetflow.model.declare",
    "row_count": "assetflow.model.declare_checks",
    "source": "assetflow.model.declare",
    "static": "assetflow.model.partitions",
    "status": "assetflow.api",
    "string_length": "assetflow.model.declare_checks",
    "unchanged_schema": "assetflow.model.declare_checks",
    "unique": "assetflow.model.declare_checks",
    "weekly": "assetflow.model.partitions",
}

__all__ = [
    "AllPartitions",
    "AssetContext",
    "AssetflowError",
    "CheckResult",
    "Column",
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
    "accepted_values",
    "aggregate",
    "anomaly",
    "asset",
    "between",
    "check",
    "column_types",
    "connect",
    "daily",
    "drift",
    "dynamic",
    "equal_rows",
    "expectations_result",
    "expression",
    "freshness",
    "hourly",
    "lineage",
    "load",
    "matches",
    "materialize",
    "monotonic",
    "monthly",
    "not_null",
    "pandera_result",
    "plan",
    "product",
    "read",
    "recent",
    "references",
    "resource",
    "row_count",
    "source",
    "static",
    "status",
    "string_length",
    "unchanged_schema",
    "unique",
    "weekly",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `--help` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'assetflow' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
