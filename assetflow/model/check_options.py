"""What can be said about each kind of check: one pydantic model for Python and headers."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from assetflow.errors import BadValue, DefinitionError, TwoChecksOfOneName, UnknownCheckKind
from assetflow.model.checks import (
    KEPT_ROWS,
    ROW_LEVEL,
    Argument,
    Check,
    CheckKind,
    OnFailure,
    Scalar,
    Scope,
    Severity,
)
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.durations import EXPECTED_DURATION, find_seconds
from assetflow.model.validation import validate

LONGEST_NAME = 200
LONGEST_LABEL = 60
AggregateFunction = Literal[
    "mean", "sum", "stddev", "min", "max", "median", "quantile", "distinct", "null_fraction"
]
Metric = Literal[
    "row_count", "null_fraction", "distinct", "min", "max", "mean", "sum", "stddev", "median"
]
DriftMethod = Literal["psi", "ks", "js"]
BASELINES = ("previous", "first")
EXPECTED_CHECKS = "a list of checks, each with its kind and what it is told"
_EXAMPLE = 'checks = [{ unique = ["day"] }]'

_EXPECTED_BOUND = "a number, or a text, date or instant"
_EXPECTED_NUMBER = "a number"
_EXPECTED_FRACTION = "a fraction from 0 to less than 1"
_EXPECTED_QUANTILE = "a number from 0 to 1"
_EXPECTED_POSITIVE = "a number above 0"
_EXPECTED_COUNT = "a number from 0"
_EXPECTED_TYPES = "for each column its type"
_EXPECTED_COLUMNS = "names of columns, each once"
_EXPECTED_VALUES = "a list of texts, numbers, dates, true or false"
_EXPECTED_BASELINE = '"previous", "first", a day, or the name of an asset or source'


def _listed(names: Sequence[str]) -> str:
    return " or ".join([", ".join(f'"{name}"' for name in names[:-1]), f'"{names[-1]}"'])


def _scalar(value: object) -> Scalar:
    """Return `value` as a check keeps it: dates and instants as ISO texts."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(_EXPECTED_VALUES)


def _bound(value: object) -> object:
    """Return `value` if it may be a bound; it is still as it was given, to be compared."""
    if isinstance(value, bool) or value is None or value == "":
        raise ValueError(_EXPECTED_BOUND)
    _told(_scalar, value, _EXPECTED_BOUND)
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(_EXPECTED_NUMBER)  # noqa: TRY004 - pydantic collects ValueErrors
    return float(_told(float, value, _EXPECTED_NUMBER, math.isfinite))


def _is_fraction(number: float) -> float:
    if not 0 <= number < 1:
        raise ValueError(_EXPECTED_FRACTION)
    return number


def _is_quantile(number: float) -> float:
    if not 0 <= number <= 1:
        raise ValueError(_EXPECTED_QUANTILE)
    return number


def _is_positive(number: float) -> float:
    if number <= 0:
        raise ValueError(_EXPECTED_POSITIVE)
    return number


def _told(make: Any, value: object, expected: str, holds: Any = lambda _: True) -> Any:
    """Return what `make` makes of `value`; ValueError says what is expected of it."""
    try:
        made = make(value)
    except (ValueError, OverflowError):
        raise ValueError(expected) from None
    if not holds(made):
        raise ValueError(expected)
    return made


def _values(value: object) -> tuple[Scalar, ...]:
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence | set | frozenset):
        raise ValueError(_EXPECTED_VALUES)  # noqa: TRY004 - pydantic collects ValueErrors
    told = tuple(map(_scalar, value))
    if not told:
        raise ValueError("at least one value")
    distinct = dict.fromkeys((type(one).__name__, one) for one in told)
    found = tuple(one for _, one in distinct)
    return tuple(sorted(found, key=str)) if isinstance(value, set | frozenset) else found


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len({name.casefold() for name in names}) < len(names):
        raise ValueError(_EXPECTED_COLUMNS)
    return names


def _types(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError(_EXPECTED_TYPES)
    told = tuple((name, said) for name, said in value.items())
    if not all(isinstance(text, str) and text.strip() for pair in told for text in pair):
        raise ValueError(_EXPECTED_TYPES)
    return told


def _seconds(value: object) -> float:
    seconds = find_seconds(value)
    if seconds is None or seconds <= 0:
        raise ValueError(EXPECTED_DURATION)
    return seconds


def _check_name(name: str) -> str:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"a text of one line, at most {LONGEST_NAME} characters")
    return name


def _where(text: str) -> str:
    if not text.strip():
        raise ValueError("a condition on the columns")
    return text.strip()


def _baseline(text: str) -> str:
    if not text.strip() or (text[0].isdigit() and not _is_day(text)):
        raise ValueError(_EXPECTED_BASELINE)
    return text


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


ColumnName = Annotated[StrictStr, Field(min_length=1)]
ColumnNames = Annotated[tuple[ColumnName, ...], BeforeValidator(_one_or_more)]
Bound = Annotated[Any, PlainValidator(_bound)]
Number = Annotated[float, PlainValidator(_number)]
Fraction = Annotated[Number, AfterValidator(_is_fraction)]
Quantile = Annotated[Number, AfterValidator(_is_quantile)]
Positive = Annotated[Number, AfterValidator(_is_positive)]
Duration = Annotated[float, BeforeValidator(_seconds)]
Baseline = Annotated[StrictStr, AfterValidator(_baseline)]
Condition = Annotated[StrictStr, PlainValidator(_where)]
Count = Annotated[StrictInt, Field(ge=0)]


class KindOptions(BaseModel):
    """What may be said about every check.

    `kind` is the name in Python and in headers; `short` is the key that a plain value in a
    header stands for. `meaningless` are keys of other kinds, and why they are not keys of this.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[CheckKind]
    short: ClassVar[str] = ""
    meaningless: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("max_failures", "max_fraction"), "a check of this kind counts no rows that fail"
    )

    name: StrictStr | None = Field(
        default=None, description="a text of one line", examples=['"revenue_is_positive"']
    )
    severity: Severity | None = Field(
        default=None, description='"warn" or "error"', examples=['"warn"'], validate_default=True
    )
    on_failure: OnFailure | None = Field(
        default=None,
        description='"warn", "block", "quarantine" or "repair"',
        examples=['"warn"'],
        validate_default=True,
    )
    description: StrictStr = Field(default="", description="a text")
    kept_rows: Count = Field(
        default=KEPT_ROWS, description="a number of rows from 0", examples=["0"]
    )
    scope: Scope = Field(
        default="partition", description='"partition" or "whole"', examples=['"whole"']
    )
    timeout: Duration | None = Field(
        default=None, description=EXPECTED_DURATION, examples=['"30s"']
    )

    @field_validator("name")
    @classmethod
    def _is_readable(cls, name: str | None) -> str | None:
        return None if name is None else _check_name(name)

    @field_validator("on_failure")
    @classmethod
    def _can_follow(cls, told: OnFailure | None, info: ValidationInfo) -> OnFailure | None:
        if told in ("block", "repair") and info.data.get("severity") == "warn":
            raise ValueError('"warn": a check of severity "warn" cannot block')
        if told == "quarantine" and cls.kind not in ROW_LEVEL:
            raise ValueError(
                '"warn", "block" or "repair": it does not tell of each row whether it fails'
            )
        return told

    @field_validator("scope")
    @classmethod
    def _can_span(cls, scope: Scope, info: ValidationInfo) -> Scope:
        follows = info.data.get("on_failure")
        if scope == "whole" and follows == "quarantine":
            raise ValueError('"partition": rows are put aside while a partition is made')
        if scope == "whole" and follows == "repair":
            raise ValueError('"partition": a repair goes by the partitions that failed')
        return scope

    def columns_of(self) -> tuple[str, ...]:
        """Return the columns of the asset that the check is about."""
        return ()

    def arguments_of(self) -> dict[str, Argument]:
        """Return what the check is told beside its columns; None stands for nothing."""
        return {}

    def inputs_of(self) -> tuple[Input, ...]:
        """Return the other assets and sources that the check names."""
        return ()

    def label(self) -> str:
        """Return the name of a check that was given none."""
        columns = ", ".join(self.columns_of())
        return f"{self.kind}({columns})" if columns else self.kind

    def frozen(self, location: Location | None = None) -> Check:
        """Return the check as the rest of assetflow reads it."""
        severity, on_failure = self._consequences()
        arguments = {name: said for name, said in self.arguments_of().items() if said is not None}
        return Check(
            kind=self.kind,
            name=self.name or _shortened(self.label()),
            columns=self.columns_of(),
            arguments=tuple(sorted(arguments.items())),
            where=getattr(self, "where", None) or "",
            severity=severity,
            on_failure=on_failure,
            max_failures=getattr(self, "max_failures", 0),
            max_fraction=getattr(self, "max_fraction", 0.0),
            scope=self.scope,
            description=self.description,
            kept_rows=self.kept_rows,
            timeout_seconds=self.timeout,
            inputs=self.inputs_of(),
            location=location,
        )

    def _consequences(self) -> tuple[Severity, OnFailure]:
        """Return the severity and what follows a failure; where one is said, it says the other."""
        if self.on_failure is None:
            severity = self.severity or "error"
            return severity, "warn" if severity == "warn" else "block"
        return self.severity or ("warn" if self.on_failure == "warn" else "error"), self.on_failure


class CountedOptions(KindOptions):
    """What may be said about checks that count what fails: how much of it is borne."""

    max_failures: Count = Field(default=0, description="a number of rows from 0", examples=["10"])
    max_fraction: Fraction = Field(default=0.0, description=_EXPECTED_FRACTION, examples=["0.01"])


class RowsOptions(CountedOptions):
    """What may be said about checks of rows: which rows they are about."""

    where: Condition | None = Field(
        default=None,
        description="a condition on the columns of the asset, in SQL",
        examples=['"amount > 0"'],
    )


class FilteredOptions(KindOptions):
    """What may be said about checks of figures: from which rows these are computed."""

    where: Condition | None = Field(
        default=None,
        description="a condition on the columns of the asset, in SQL",
        examples=['"amount > 0"'],
    )


class _ColumnsOptions(RowsOptions):
    short: ClassVar[str] = "columns"

    columns: ColumnNames = Field(
        min_length=1, description=_EXPECTED_COLUMNS, examples=['["day", "store_id"]']
    )

    @field_validator("columns")
    @classmethod
    def _are_distinct(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        return _each_once(columns)

    def columns_of(self) -> tuple[str, ...]:
        return self.columns


class NotNull(_ColumnsOptions):
    """No row has a null in any of the columns."""

    kind: ClassVar[CheckKind] = "not_null"


class Unique(_ColumnsOptions):
    """No two rows have the same values in the columns."""

    kind: ClassVar[CheckKind] = "unique"


class _ColumnOptions(RowsOptions):
    short: ClassVar[str] = "column"

    column: ColumnName = Field(description="the name of a column", examples=['"revenue"'])

    def columns_of(self) -> tuple[str, ...]:
        return (self.column,)


class AcceptedValues(_ColumnOptions):
    """Every value is one of a list."""

    kind: ClassVar[CheckKind] = "accepted_values"

    values: Annotated[tuple[Scalar, ...], PlainValidator(_values)] = Field(
        description=_EXPECTED_VALUES, examples=['["new", "paid"]']
    )

    def arguments_of(self) -> dict[str, Argument]:
        return {"values": self.values}


class _Ranged(KindOptions):
    """Two bounds, both included: one may be missing, and the upper is not below the lower."""

    min: Bound | None = Field(default=None, description=_EXPECTED_BOUND, examples=["0"])
    max: Bound | None = Field(
        default=None, description=_EXPECTED_BOUND, examples=["100"], validate_default=True
    )

    @field_validator("max")
    @classmethod
    def _is_above(cls, upper: Any, info: ValidationInfo) -> Any:
        if "min" not in info.data:
            return upper
        lower = info.data["min"]
        if lower is None and upper is None:
            raise PydanticCustomError("missing", "min, max or both")
        if lower is not None and upper is not None and not _in_order(lower, upper):
            raise ValueError(f"not below the minimum, {lower!r}, and of its kind")
        return upper

    def arguments_of(self) -> dict[str, Argument]:
        told = {"min": self.min, "max": self.max}
        return {name: None if said is None else _scalar(said) for name, said in told.items()}


def _in_order(lower: Any, upper: Any) -> bool:
    """Whether two bounds can be compared and the lower is not above the upper."""
    if isinstance(lower, str) or isinstance(upper, str):
        if any(isinstance(one, int | float | Decimal) for one in (lower, upper)):
            return False
        return _texts_in_order(str(_scalar(lower)), str(_scalar(upper)))
    try:
        return bool(lower <= upper)
    except TypeError:
        return False


def _texts_in_order(lower: str, upper: str) -> bool:
    """Whether `lower` is not above `upper` as a text, a number, or an instant with its zone."""
    return lower <= upper or any(_is_below(kind, lower, upper) for kind in _KINDS_OF_TEXT)


def _is_below(kind: Callable[[str], Any], lower: str, upper: str) -> bool:
    try:
        return bool(kind(lower) <= kind(upper))
    except (ValueError, ArithmeticError, TypeError):
        return False


_KINDS_OF_TEXT: tuple[Callable[[str], Any], ...] = (Decimal, datetime.fromisoformat)


class Between(_Ranged, _ColumnOptions):
    """Every value lies between two bounds, both included."""

    kind: ClassVar[CheckKind] = "between"


class Matches(_ColumnOptions):
    """Some part of every text matches a regular expression."""

    kind: ClassVar[CheckKind] = "matches"

    pattern: StrictStr = Field(
        description="a regular expression", examples=["'^[A-Z]{3}$'"], min_length=1
    )

    def arguments_of(self) -> dict[str, Argument]:
        return {"pattern": self.pattern}


class StringLength(_Ranged, _ColumnOptions):
    """Every text has a number of characters between two bounds, both included."""

    kind: ClassVar[CheckKind] = "string_length"

    min: Count | None = Field(default=None, description=_EXPECTED_COUNT, examples=["1"])
    max: Count | None = Field(
        default=None, description=_EXPECTED_COUNT, examples=["80"], validate_default=True
    )


class RowCount(_Ranged, FilteredOptions):
    """The number of rows lies between two bounds, both included."""

    kind: ClassVar[CheckKind] = "row_count"

    min: Count | None = Field(default=None, description=_EXPECTED_COUNT, examples=["1"])
    max: Count | None = Field(
        default=None, description=_EXPECTED_COUNT, examples=["100"], validate_default=True
    )


class References(_ColumnsOptions):
    """Every row has its like in another asset or source; rows with a null are left out."""

    kind: ClassVar[CheckKind] = "references"

    to: ColumnNames = Field(
        min_length=1,
        description="columns of one asset or source, as many as `columns`",
        examples=['"stores.store_id"'],
    )

    @field_validator("to")
    @classmethod
    def _fit(cls, to: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        columns = info.data.get("columns", to)
        named = [name.rpartition(".")[0] for name in to]
        if not all(named) or len(set(named)) > 1 or len(columns) != len(to):
            raise ValueError('columns of one asset, as many as `columns`, as in "stores.store_id"')
        return to

    def inputs_of(self) -> tuple[Input, ...]:
        return (_input(self.to[0].rpartition(".")[0], self._referenced()),)

    def _referenced(self) -> tuple[str, ...]:
        return tuple(name.rpartition(".")[2] for name in self.to)

    def arguments_of(self) -> dict[str, Argument]:
        return {"to": self._referenced()}

    def label(self) -> str:
        return f"references({', '.join(self.columns)} in {self.to[0].rpartition('.')[0]})"


class Expression(RowsOptions):
    """A condition holds for every row; where it is null, it holds."""

    kind: ClassVar[CheckKind] = "expression"
    short: ClassVar[str] = "sql"

    sql: Condition = Field(
        description="a condition on the columns of the asset, in SQL", examples=['"low <= high"']
    )

    def arguments_of(self) -> dict[str, Argument]:
        return {"sql": self.sql}

    def label(self) -> str:
        return f"expression({' '.join(self.sql.split())})"


class ColumnTypes(KindOptions):
    """Columns are there and have these types."""

    kind: ClassVar[CheckKind] = "column_types"
    short: ClassVar[str] = "types"

    types: Annotated[tuple[tuple[str, str], ...], PlainValidator(_types)] = Field(
        description=_EXPECTED_TYPES, examples=['{ day = "date" }']
    )

    def columns_of(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.types)

    def arguments_of(self) -> dict[str, Argument]:
        return {"types": tuple(said for _, said in self.types)}


class Monotonic(_ColumnOptions):
    """Values never fall from row to row: as the rows are stored, or as other columns order them."""

    kind: ClassVar[CheckKind] = "monotonic"

    order_by: ColumnNames = Field(default=(), description=_EXPECTED_COLUMNS, examples=['["day"]'])
    group_by: ColumnNames = Field(
        default=(), description=_EXPECTED_COLUMNS, examples=['["store_id"]']
    )
    strict: StrictBool = Field(default=False, description="true or false")
    decreasing: StrictBool = Field(default=False, description="true or false")

    @field_validator("order_by", "group_by")
    @classmethod
    def _are_distinct(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        return _each_once(columns)

    def arguments_of(self) -> dict[str, Argument]:
        return {
            "order_by": self.order_by or None,
            "group_by": self.group_by or None,
            "strict": self.strict or None,
            "decreasing": self.decreasing or None,
        }


class Recent(FilteredOptions):
    """The newest value is not older than an age, when the check is asked."""

    kind: ClassVar[CheckKind] = "recent"
    short: ClassVar[str] = "column"

    column: ColumnName = Field(description="the name of a column", examples=['"ordered_at"'])
    max_age: Duration = Field(description=EXPECTED_DURATION, examples=['"1d"'])

    def columns_of(self) -> tuple[str, ...]:
        return (self.column,)

    def arguments_of(self) -> dict[str, Argument]:
        return {"max_age": self.max_age}


class Aggregate(_Ranged, FilteredOptions):
    """A figure of a column lies between two bounds, both included."""

    kind: ClassVar[CheckKind] = "aggregate"
    short: ClassVar[str] = "function"

    function: AggregateFunction = Field(
        description=_listed(get_args(AggregateFunction)), examples=['"mean"']
    )
    column: ColumnName = Field(description="the name of a column", examples=['"revenue"'])
    quantile: Quantile | None = Field(
        default=None,
        description=_EXPECTED_QUANTILE,
        examples=["0.95"],
        validate_default=True,
    )

    @field_validator("quantile")
    @classmethod
    def _is_asked_for(cls, told: float | None, info: ValidationInfo) -> float | None:
        is_quantile = info.data.get("function") == "quantile"
        if is_quantile and told is None:
            raise PydanticCustomError("missing", "which quantile")
        if told is not None and not is_quantile and "function" in info.data:
            raise ValueError('nothing, or `function = "quantile"` as well')
        return told

    def columns_of(self) -> tuple[str, ...]:
        return (self.column,)

    def arguments_of(self) -> dict[str, Argument]:
        told: dict[str, Argument] = {"function": self.function, "quantile": self.quantile}
        return told | super().arguments_of()

    def label(self) -> str:
        which = "" if self.quantile is None else f", {self.quantile:g}"
        return f"{self.function}({self.column}{which})"


class EqualRows(CountedOptions):
    """The asset has the same rows as another asset or source, as often; in any order."""

    kind: ClassVar[CheckKind] = "equal_rows"
    short: ClassVar[str] = "to"

    to: ColumnName = Field(
        description="the name of an asset or source", examples=['"orders_of_the_ledger"']
    )
    columns: ColumnNames = Field(default=(), description=_EXPECTED_COLUMNS, examples=['["day"]'])

    @field_validator("columns")
    @classmethod
    def _are_distinct(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        return _each_once(columns)

    def columns_of(self) -> tuple[str, ...]:
        return self.columns

    def inputs_of(self) -> tuple[Input, ...]:
        return (_input(self.to, self.columns or None),)

    def label(self) -> str:
        return f"equal_rows({self.to})"


class UnchangedSchema(KindOptions):
    """The columns, their types and their order are those of the published version."""

    kind: ClassVar[CheckKind] = "unchanged_schema"


class Anomaly(FilteredOptions):
    """A figure is not far from what it was in the versions before."""

    kind: ClassVar[CheckKind] = "anomaly"
    short: ClassVar[str] = "metric"

    metric: Metric = Field(description=_listed(get_args(Metric)), examples=['"row_count"'])
    column: ColumnName | None = Field(
        default=None,
        description="the name of a column",
        examples=['"revenue"'],
        validate_default=True,
    )
    sensitivity: Positive | None = Field(
        default=None, description=_EXPECTED_POSITIVE, examples=["5.0"]
    )
    history: StrictInt | None = Field(
        default=None, ge=7, description="a number of versions from 7", examples=["60"]
    )

    @field_validator("column")
    @classmethod
    def _is_needed(cls, column: str | None, info: ValidationInfo) -> str | None:
        metric = info.data.get("metric", "row_count" if column is None else "")
        if metric == "row_count" and column is not None:
            raise ValueError("nothing: a number of rows has no column")
        if metric != "row_count" and column is None:
            raise PydanticCustomError("missing", "a column")
        return column

    def columns_of(self) -> tuple[str, ...]:
        return (self.column,) if self.column else ()

    def arguments_of(self) -> dict[str, Argument]:
        return {
            "metric": self.metric,
            "sensitivity": self.sensitivity,
            "history": self.history,
        }

    def label(self) -> str:
        return f"anomaly({', '.join((self.metric, *self.columns_of()))})"


class Drift(FilteredOptions):
    """The distribution of a column has not moved away from an earlier one."""

    kind: ClassVar[CheckKind] = "drift"
    short: ClassVar[str] = "column"

    column: ColumnName = Field(description="the name of a column", examples=['"revenue"'])
    method: DriftMethod = Field(
        default="psi", description=_listed(get_args(DriftMethod)), examples=['"psi"']
    )
    baseline: Baseline = Field(
        default="previous", description=_EXPECTED_BASELINE, examples=['"first"']
    )
    threshold: Positive | None = Field(
        default=None, description=_EXPECTED_POSITIVE, examples=["0.2"]
    )

    def columns_of(self) -> tuple[str, ...]:
        return (self.column,)

    def arguments_of(self) -> dict[str, Argument]:
        return {
            "method": self.method,
            "baseline": self.baseline,
            "threshold": self.threshold,
        }

    def inputs_of(self) -> tuple[Input, ...]:
        if self.baseline in BASELINES or _is_day(self.baseline):
            return ()
        return (_input(self.baseline, (self.column,)),)


class FunctionCheckOptions(CountedOptions):
    """A function says how the data is."""

    kind: ClassVar[CheckKind] = "function"

    ignore: tuple[StrictStr, ...] = Field(
        default=(), description="a list of names in the code", examples=['["LOGGER"]']
    )


class QueryCheckOptions(CountedOptions):
    """A query selects failing rows."""

    kind: ClassVar[CheckKind] = "query"

    asset: StrictStr | None = Field(
        default=None, description="the name of an asset", examples=['"orders"']
    )


KINDS: Mapping[str, type[KindOptions]] = {
    one.kind: one
    for one in (
        NotNull,
        Unique,
        AcceptedValues,
        Between,
        Matches,
        StringLength,
        RowCount,
        References,
        Expression,
        ColumnTypes,
        Monotonic,
        Recent,
        Aggregate,
        EqualRows,
        UnchangedSchema,
        Anomaly,
        Drift,
    )
}
"""The built-in kinds by their name, which is the same in Python and in headers."""


def read_check(
    kind: type[KindOptions], said: Mapping[str, Any], of: str, location: Location
) -> tuple[Check | None, tuple[DefinitionError, ...]]:
    """Return the check of `kind` that `said` declares, or None with what is wrong with it.

    `of` says whose check it is, as in " of asset 'orders'", or "".
    """
    found, errors = validate(kind, said, f"check '{kind.kind}'{of}", lambda _: location)
    return (found.frozen(location) if found else None), errors


def read_checks(
    said: object, of: str, at: Callable[[str, int], Location]
) -> tuple[tuple[Check, ...], tuple[DefinitionError, ...]]:
    """Return the checks that a decorator or header lists, with what is wrong with them.

    Each is a Check, or a table such as `{ unique = ["day"] }`: the kind with its arguments,
    or with the one that can go without its name; more arguments may stand beside it. `at`
    gives the place of a table by its kind and how many of the kind stand before it.
    """
    if isinstance(said, str | Mapping) or not isinstance(said, Sequence):
        return (), (_no_check(said, of, at("", 0)),)
    found, errors, met = list[Check](), list[DefinitionError](), Counter[str]()
    for one in said:
        if isinstance(one, Check):
            found.append(one)
            continue
        kind = _kind_of(one)
        made, problems = _read_table(one, of, at(kind, met[kind]))
        met.update(list(one) if isinstance(one, Mapping) else ())
        found += [made] if made else []
        errors += problems
    return tuple(found), (*errors, *twice_named(found, of))


def _kind_of(table: object) -> str:
    """Return the key of `table` that names the kind of check, else its first, else ""."""
    names = [str(name) for name in table] if isinstance(table, Mapping) else []
    return next((name for name in names if name in KINDS), next(iter(names), ""))


def _read_table(
    table: object, of: str, place: Location
) -> tuple[Check | None, tuple[DefinitionError, ...]]:
    if not isinstance(table, Mapping) or not table:
        return None, (_no_check(table, of, place),)
    kinds = [name for name in table if name in KINDS]
    if len(kinds) != 1:
        return None, (UnknownCheckKind(_kind_of(table), of, kinds, KINDS, place),)
    kind = KINDS[kinds[0]]
    beside = {name: one for name, one in table.items() if name != kind.kind}
    inside = _inside(kind, table[kind.kind])
    if inside is None:
        expected = "a table with its arguments"
        return None, (BadValue(kind.kind, table[kind.kind], of, expected, "", place),)
    return read_check(kind, {**inside, **beside}, f" of {of}", place)


def _no_check(said: object, of: str, place: Location) -> BadValue:
    return BadValue("checks", said, of, EXPECTED_CHECKS, _EXAMPLE, place)


def _inside(kind: type[KindOptions], said: object) -> Mapping[str, Any] | None:
    """Return the arguments that `said` holds, None where a plain value says nothing."""
    is_table = isinstance(said, Mapping) and kind is not ColumnTypes
    if isinstance(said, Mapping) and is_table:
        return said
    if kind.short:
        return {kind.short: said}
    return {} if said is True else None


def twice_named(checks: Sequence[Check], of: str) -> Iterator[DefinitionError]:
    """Yield an error for each check whose name another has before it."""
    seen: dict[str, Check] = {}
    for check in checks:
        first = seen.setdefault(check.name, check)
        if first is not check:
            yield TwoChecksOfOneName(check.name, of, first.location, check.location)


def _shortened(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 2]}…)"


def _input(name: str, columns: tuple[str, ...] | None) -> Input:
    return Input(name, "sql", columns)
