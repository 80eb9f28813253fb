"""Promises about the data of an asset, as frozen values. What they ask in SQL: `quality/`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from assetflow.model.columns import ContractMode, Schema
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.fingerprint import fingerprint
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

ROW_LEVEL: frozenset[CheckKind] = frozenset(
    (
        "not_null",
        "accepted_values",
        "between",
        "matches",
        "string_length",
        "references",
        "expression",
    )
)
"""The kinds that tell of each row by itself whether it fails; only these can quarantine."""


@dataclass(frozen=True, slots=True)
class FunctionCheck:
    """A Python function that says how data is: a bool, a CheckResult, or the failing rows.

    `fingerprint` is that of the function and all of the project's own that it reaches.
    `context` is the name of the parameter that takes the AssetContext. `optional` are the
    parameters with a default: inputs where an asset or source has their name, else constants.
    `ignore` are names in the code that do not count.
    """

    function: Callable[..., Any] = field(compare=False)
    fingerprint: str = ""
    context: str = ""
    optional: tuple[Input, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryCheck:
    """One query that selects failing rows; it starts at `first_line` of its file.

    One that `is_order_dependent` reads the order of rows as well.
    """

    text: str
    first_line: int = 1
    is_order_dependent: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One promise about the data of an asset.

    `name` is unique among the checks of an asset. `arguments` are (name, value), sorted by
    name. `where` is SQL that limits the rows that the promise is about. At most
    `max_failures` rows, or `max_fraction` of the rows, may fail. `inputs` are the other
    assets and sources that it reads (of a function or query, the asset itself is among
    them); once the project is loaded, each says its `upstream`. `kept_rows` failing rows
    are kept to be looked at. `canonical` is the fingerprint of the canonical form of its SQL;
    it `is_volatile` if it can answer otherwise about the same data. Both are known once
    the project is loaded.
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
    canonical: str = ""
    is_volatile: bool = False

    @property
    def blocks(self) -> bool:
        """Whether a version that fails it may not be published."""
        return self.severity == "error" and self.on_failure != "warn"

    @property
    def is_row_level(self) -> bool:
        """Whether it tells of each row by itself whether it fails."""
        return self.kind in ROW_LEVEL

    def argument(self, name: str) -> Argument:
        """Return what the check was told under `name`, None where it was told nothing."""
        return dict(self.arguments).get(name)


@dataclass(frozen=True, slots=True)
class CheckOf:
    """A check that was declared apart from its asset: a function or a query of failing rows.

    `asset` is "" of a query that does not say it: then it is the one that the query reads.
    """

    asset: AssetName
    check: Check


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a function of `@check` may return where a bool says too little.

    `failing_rows` are a table in any form that an asset may return. `metric` is a number
    whose history is kept.
    """

    passed: bool
    message: str = ""
    observed: object = ""
    bound: object = ""
    failures: int | None = None
    rows: int | None = None
    metric: float | None = None
    failing_rows: Any = None


def contract_check(columns: Schema, mode: ContractMode | None) -> tuple[Check, ...]:
    """Return the check that a contract is: of kind "contract", none where nothing is promised.

    Columns that may hold no nulls are a promise also where no `mode` is said.
    """
    required = tuple(column.name for column in columns if not column.nullable)
    if mode is None and not required:
        return ()
    arguments: dict[str, Argument] = {
        "mode": mode or "additive",
        "required": required,
        "types": tuple(column.type for column in columns),
    }
    names = tuple(column.name for column in columns)
    return (Check("contract", "contract", names, tuple(sorted(arguments.items()))),)


def check_fingerprint(check: Check) -> str:
    """Return the fingerprint of all in `check` that decides how it answers and what follows.

    Its name, its description, how long it may take and how many rows it keeps do not.
    """
    body = check.body
    return fingerprint(
        check.kind,
        *_counted(check.columns),
        *_counted(_argument_texts(check)),
        check.canonical or check.where,
        check.severity,
        check.on_failure,
        str(check.max_failures),
        repr(check.max_fraction),
        check.scope,
        *_counted(tuple(text for one in check.inputs for text in _input_texts(one))),
        body.fingerprint if isinstance(body, FunctionCheck) else "",
        body.text if isinstance(body, QueryCheck) and not check.canonical else "",
    )


def _counted(texts: tuple[str, ...]) -> tuple[str, ...]:
    return (str(len(texts)), *texts)


def _argument_texts(check: Check) -> tuple[str, ...]:
    """Return names, types and values of the arguments; SQL counts in its canonical form."""
    told = (pair for pair in check.arguments if not (check.canonical and pair[0] == "sql"))
    return tuple(text for name, value in told for text in (name, *_value_texts(value)))


def _value_texts(value: Argument) -> tuple[str, ...]:
    values = value if isinstance(value, tuple) else (value,)
    return _counted(tuple(f"{type(one).__name__} {one}" for one in values))


def _input_texts(item: Input) -> tuple[str, ...]:
    columns = _counted(item.columns) if item.columns is not None else ("*",)
    return (item.name, item.upstream or item.name, item.form, *columns, repr(item.mapping))
