"""Promises about the data of an asset, as frozen values. What they ask in SQL: `quality/`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from assetflow.model.declared_inputs import Input, Location
from assetflow.model.names import AssetName

CheckKind = Literal[
    "not_null",
    "unique",
    "accepted_values",
    "between",
    "matches",
    "string_length",
    "row_count",
    "references",
    "expression",
    "column_types",
    "monotonic",
    "recent",
    "aggregate",
    "equal_rows",
    "unchanged_schema",
    "anomaly",
    "drift",
    "function",  # @check: Python that says how it is
    "query",  # checks/*.sql: a query of failing rows
    "contract",  # columns and contract of the asset
]

Severity = Literal["warn", "error"]
OnFailure = Literal["warn", "block", "quarantine", "repair"]
Scope = Literal["partition", "whole"]

Scalar = str | int | float | bool | None
Argument = Scalar | tuple[Scalar, ...]
"""What a check is told beside its columns; dates and instants are ISO texts."""

KEPT_ROWS = 5


@dataclass(frozen=True, slots=True)
class FunctionCheck:
    """A Python function that says how data is: a bool, a CheckResult, or the failing rows.

    `fingerprint` is that of the function and all of the project's own that it reaches.
    """

    function: Callable[..., Any] = field(compare=False)
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class QueryCheck:
    """One query that selects failing rows."""

    text: str
    first_line: int = 1


@dataclass(frozen=True, slots=True)
class Check:
    """One promise about the data of an asset.

    `name` is unique among the checks of an asset. `arguments` are (name, value), sorted by
    name. `where` is SQL that limits the rows that the promise is about. At most
    `max_failures` rows, or `max_fraction` of the rows, may fail. `inputs` are the other
    assets and sources that it reads (of a function, the asset itself is among them).
    `kept_rows` failing rows are kept to be looked at.
    """

    kind: CheckKind
    name: str
    columns: tuple[str, ...] = ()
    arguments: tuple[tuple[str, Argument], ...] = ()
    where: str = ""
    severity: Severity = "error"
    on_failure: OnFailure = "block"
    max_failures: int = 0
    max_fraction: float = 0.0
    scope: Scope = "partition"
    description: str = ""
    kept_rows: int = KEPT_ROWS
    timeout_seconds: float | None = None
    inputs: tuple[Input, ...] = ()
    body: FunctionCheck | QueryCheck | None = None
    location: Location | None = field(default=None, compare=False)

    @property
    def blocks(self) -> bool:
        """Whether a version that fails it may not be published."""
        return self.on_failure != "warn"

    def argument(self, name: str) -> Argument:
        """Return what the check was told under `name`, None where it was told nothing."""
        return dict(self.arguments).get(name)


@dataclass(frozen=True, slots=True)
class CheckOf:
    """A check that was declared apart from its asset: a function or a query of failing rows."""

    asset: AssetName
    check: Check
