"""What the decorator and the SQL header can say: one pydantic model for both.

Retries and Column are the names that users write; frozen, they are those of `model.asset`
and `model.columns`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainValidator,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
)

from assetflow.errors import nearest
from assetflow.model import asset, columns
from assetflow.model.check_options import EXPECTED_CHECKS
from assetflow.model.checks import Check, contract_check
from assetflow.model.columns import ContractMode, Schema
from assetflow.model.durations import EXPECTED_DURATION
from assetflow.model.freshness import EXPECTED_OF_ONE, OwnFreshness
from assetflow.model.mappings import (
    AllPartitions,
    DeclaredMapping,
    Latest,
    Offset,
    Trailing,
    find_mapping_problem,
)
from assetflow.model.names import folded
from assetflow.model.partitions import (
    DynamicPartitions,
    Partitions,
    ProductPartitions,
    StaticPartitions,
    TimePartitions,
    daily,
    dynamic,
    find_problem,
    hourly,
    monthly,
    product,
    static,
    weekly,
)
from assetflow.model.written_types import Duration, Timezone, seconds_of

DIALECTS = (
    "athena",
    "bigquery",
    "clickhouse",
    "databricks",
    "doris",
    "dremio",
    "drill",
    "druid",
    "duckdb",
    "exasol",
    "fabric",
    "hive",
    "materialize",
    "mysql",
    "oracle",
    "postgres",
    "presto",
    "redshift",
    "risingwave",
    "snowflake",
    "spark",
    "spark2",
    "sqlite",
    "starrocks",
    "tableau",
    "teradata",
    "trino",
    "tsql",
)
"""The dialects that a header may name; each is one that sqlglot reads."""

_OWNER = re.compile(r"team:[^\s,]+|[^\s,@]+@[^\s,@]+")
_LABEL = re.compile(r"[^\s,]+")
_COLUMN_KEYS = {"type", "nullable", "description", "tags"}
_EXPECTED_COLUMNS = "for each column its type, or a table of type, description, tags and nullable"


def _one_of(pattern: re.Pattern[str], expected: str) -> AfterValidator:
    """Return the validator that `pattern` matches all of a text."""

    def matches(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(expected)
        return text

    return AfterValidator(matches)


def _columns(value: object) -> Schema:
    """Return the declared columns; of names that differ only in case, none."""
    if not isinstance(value, Mapping):
        raise ValueError(_EXPECTED_COLUMNS)  # noqa: TRY004 - pydantic collects ValueErrors
    found = tuple(_column(name, said) for name, said in value.items())
    if len({folded(column.name) for column in found}) < len(found):
        raise ValueError("names of columns that differ in more than case")
    return found


def _column(name: object, said: object) -> columns.Column:
    keys = said._asdict() if isinstance(said, Column) else said
    keys = {"type": keys} if isinstance(keys, str) else keys
    if not isinstance(keys, Mapping) or not keys.keys() <= _COLUMN_KEYS or not name:
        raise ValueError(_EXPECTED_COLUMNS)
    told = columns.Column(str(name), **{"type": "", **keys})
    is_told = isinstance(told.type, str) and isinstance(told.description, str)
    if not is_told or not told.type.strip() or not isinstance(told.nullable, bool):
        raise ValueError(_EXPECTED_COLUMNS)
    return told._replace(type=told.type.strip(), tags=_labels(told.tags))


def _labels(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(_EXPECTED_COLUMNS)  # noqa: TRY004 - pydantic collects ValueErrors
    if not all(isinstance(tag, str) and _LABEL.fullmatch(tag) for tag in value):
        raise ValueError(_EXPECTED_COLUMNS)
    return tuple(value)


def _retries(value: object) -> object:
    return {"attempts": value} if isinstance(value, int) else value


_KINDS = (TimePartitions, StaticPartitions, DynamicPartitions, ProductPartitions)
_TIMED = {"hourly": hourly, "daily": daily, "weekly": weekly, "monthly": monthly}
_EXPECTED_PARTITIONS = (
    "one of hourly, daily, weekly and monthly with a start, static, dynamic, or a product of these"
)
_EXPECTED_MAPPING = (
    '{ trailing = 7 }, { offset = -1 }, "latest", "all", or { all = { missing = "block" } }'
)


def _partitions(value: object) -> Partitions:
    """Return what `value`, made by a function or a table of the header, declares."""
    made = _tabled(value)
    problem = find_problem(made)
    if problem:
        raise ValueError(problem)
    return made


def _tabled(value: object) -> Partitions:
    if isinstance(value, _KINDS):
        return value
    if not isinstance(value, Mapping) or len(value) != 1:
        raise ValueError(_EXPECTED_PARTITIONS)
    ((kind, said),) = value.items()
    match kind, said:
        case "product", Mapping():
            return _product({str(name): _tabled(one) for name, one in said.items()})
        case "static", list() | tuple():
            return static(said)
        case "dynamic", str():
            return dynamic(said)
        case _ if kind in _TIMED:
            return _timed(kind, said)
    raise ValueError(_EXPECTED_PARTITIONS)


def _product(dimensions: Mapping[str, Partitions]) -> ProductPartitions:
    simple = {
        name: one for name, one in dimensions.items() if not isinstance(one, ProductPartitions)
    }
    if len(simple) < len(dimensions):
        raise ValueError("a product of time, static or dynamic partitions, none of products")
    return product(**simple)


def _timed(kind: str, said: object) -> TimePartitions:
    keys = {"start", "end", "timezone"} | ({"offset"} if kind != "hourly" else set())
    table = {"start": said} if isinstance(said, str | date) else said
    if not isinstance(table, Mapping) or not {"start"} <= table.keys() <= keys:
        raise ValueError(f"for {kind} a start, and where wanted {', '.join(sorted(keys)[:-1])}")
    return _TIMED[kind](**table)


def _mapping(value: object) -> DeclaredMapping:
    made = _mapping_in(value)
    problem = find_mapping_problem(made)
    if made is None or problem:
        raise ValueError(problem if made else _EXPECTED_MAPPING)
    return made


def _mapping_in(value: object) -> DeclaredMapping | None:
    match value:
        case Trailing() | Offset() | Latest() | AllPartitions():
            return value
        case "latest" | "all":
            return Latest() if value == "latest" else AllPartitions()
        case {"trailing": count, **others} if not others:
            return Trailing(count)
        case {"offset": count, **others} if not others:
            return Offset(count)
        case {"all": {"missing": missing, **more}, **others} if not others and not more:
            return AllPartitions(missing)
    return None


DeclaredColumns = Annotated[Schema, PlainValidator(_columns)]
DeclaredPartitions = Annotated[Partitions, PlainValidator(_partitions)]
OneMapping = Annotated[DeclaredMapping, PlainValidator(_mapping)]
ColumnName = Annotated[StrictStr, Field(min_length=1)]
Owner = Annotated[StrictStr, _one_of(_OWNER, 'an e-mail address, or a name such as "team:sales"')]
Label = Annotated[StrictStr, _one_of(_LABEL, "a text without spaces and commas")]
Texts = tuple[StrictStr, ...]


class Retries(NamedTuple):
    """How often a failed step is tried again: `backoff` doubles from one try to the next."""

    attempts: Annotated[StrictInt, Field(ge=0)]
    backoff: Annotated[float | str, BeforeValidator(seconds_of)] = 1.0

    def frozen(self) -> asset.Retries:
        """Return what the executor reads; `backoff` has been validated."""
        return asset.Retries(self.attempts, float(self.backoff))


class Column(NamedTuple):
    """A declared column: its type, whether it may hold nulls, what it means, its tags."""

    type: str
    nullable: bool = True
    description: str = ""
    tags: Sequence[str] = ()


def _has_times(name: str, info: ValidationInfo) -> str:
    """Return `name`; ValueError where no column is said whose times it could be for."""
    columns = [column for column in ("event_time", "partition_by") if column in info.data]
    if columns and not any(info.data[column] for column in columns):
        wanted = " or ".join(f"`{column}`" for column in columns)
        raise ValueError(f"the column {wanted} as well, whose times it is for")
    return name


TimezoneOfColumn = Annotated[Timezone, AfterValidator(_has_times)]
_TIMEZONE_OF_COLUMN = Field(
    default=None, description="the name of a time zone", examples=['"Europe/Berlin"']
)


class DescribedOptions(BaseModel):
    """What may be said about assets and sources alike."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: StrictStr = Field(default="", description="a text")
    group: Label | None = Field(
        default=None, description="a text without spaces", examples=['"marts"']
    )
    owners: tuple[Owner, ...] = Field(
        default=(),
        description='a list of e-mail addresses, or names such as "team:sales"',
        examples=['["team:sales"]'],
    )
    tags: tuple[Label, ...] = Field(
        default=(), description="a list of texts", examples=['["daily"]']
    )
    columns: DeclaredColumns | None = Field(default=None, description=_EXPECTED_COLUMNS)
    event_time: ColumnName | None = Field(
        default=None, description="the name of a column", examples=['"ordered_at"']
    )
    freshness: OwnFreshness | None = Field(
        default=None, description=EXPECTED_OF_ONE, examples=['{ max_lag = "6h" }']
    )


class AssetOptions(DescribedOptions):
    """What the decorator and the header of a SQL file share."""

    ordered: StrictBool = Field(default=False, description="true or false")
    volatile: StrictBool = Field(default=False, description="true or false")
    float_digits: StrictInt | None = Field(
        default=None, ge=1, le=17, description="a number of digits from 1 to 17", examples=["6"]
    )
    retries: Annotated[Retries, BeforeValidator(_retries)] = Field(
        default=Retries(0),
        description='a number of attempts, or a table with attempts and backoff = "2s"',
        examples=["3"],
    )
    timeout: Duration | None = Field(
        default=None, gt=0, description=EXPECTED_DURATION, examples=['"10m"']
    )
    pool: Label | None = Field(default=None, description="the name of a pool", examples=['"api"'])
    isolation: asset.Isolation = Field(
        default="thread", description='"thread" or "process"', examples=['"process"']
    )
    version: StrictStr = Field(default="", description="a text", examples=['"2"'])
    packages: Texts = Field(
        default=(), description="a list of names of packages", examples=['["scikit-learn"]']
    )
    files: Texts = Field(default=(), description="a list of paths", examples=['["rates.csv"]'])
    env: Texts = Field(
        default=(), description="a list of names of environment variables", examples=['["REGION"]']
    )
    ignore: Texts = Field(
        default=(), description="a list of names in the code", examples=['["LOGGER"]']
    )
    renamed_from: StrictStr = Field(
        default="", description="the old name", examples=['"old_orders"']
    )

    partitions: DeclaredPartitions | None = Field(
        default=None,
        description=_EXPECTED_PARTITIONS,
        examples=['{ daily = { start = "2026-01-01" } }'],
    )
    mappings: Mapping[StrictStr, OneMapping] = Field(
        default_factory=dict,
        description=_EXPECTED_MAPPING,
        examples=["{ orders = { trailing = 7 } }"],
    )
    partition_by: ColumnName | None = Field(
        default=None, description="the name of a column", examples=['"day"']
    )
    key_column: ColumnName | None = Field(
        default=None, description="the name of a column", examples=['"partition"']
    )
    batch_size: StrictInt = Field(
        default=1, ge=1, description="a number of partitions from 1", examples=["31"]
    )
    timezone: TimezoneOfColumn | None = _TIMEZONE_OF_COLUMN

    checks: tuple[InstanceOf[Check], ...] = Field(
        default=(), description=EXPECTED_CHECKS, examples=['[{ unique = ["day"] }]']
    )
    contract: ContractMode | None = Field(
        default=None,
        description='"additive" or "exact"',
        examples=['"additive", and beside it columns = { id = "BIGINT" }'],
    )

    @field_validator("contract")
    @classmethod
    def _has_columns(cls, told: ContractMode | None, info: ValidationInfo) -> ContractMode | None:
        if told and "columns" in info.data and not info.data["columns"]:
            raise ValueError("`columns` as well, which it is about")
        return told

    @field_validator("mappings", "partition_by", "key_column", "batch_size")
    @classmethod
    def _has_partitions(cls, said: Any, info: ValidationInfo) -> Any:
        is_told = said and (info.field_name != "mappings" and said != 1)
        if is_told and "partitions" in info.data and info.data["partitions"] is None:
            raise ValueError("partitions of the asset, which it does not declare")
        return said

    @field_validator("batch_size")
    @classmethod
    def _can_be_told_apart(cls, size: int, info: ValidationInfo) -> int:
        if size > 1 and isinstance(info.data.get("partitions"), ProductPartitions):
            raise ValueError("1: no single column tells partitions of several dimensions apart")
        if size > 1 and "partition_by" in info.data and not info.data["partition_by"]:
            raise ValueError("1, or `partition_by` as well: the column that tells partitions apart")
        return size

    def frozen(self) -> asset.Options:
        """Return the options as the rest of assetflow reads them."""
        return asset.Options(
            description=self.description,
            group=self.group or "",
            owners=self.owners,
            tags=self.tags,
            columns=self.columns,
            ordered=self.ordered,
            volatile=self.volatile,
            float_digits=self.float_digits,
            retries=self.retries.frozen(),
            timeout_seconds=self.timeout,
            pool=self.pool or "",
            isolation=self.isolation,
            version=self.version,
            packages=tuple(sorted(set(self.packages))),
            files=tuple(sorted(set(self.files))),
            env=tuple(sorted(set(self.env))),
            ignore=tuple(sorted(set(self.ignore))),
            renamed_from=self.renamed_from,
            partitions=self.partitions,
            mappings=self.mappings,
            batch_size=self.batch_size,
            partition_by=self.partition_by or "",
            key_column=self.key_column or "",
            event_time=self.event_time or "",
            timezone=self.timezone or "",
            freshness=None if self.freshness is None else self.freshness.frozen(),
            contract=self.contract,
            checks=(*contract_check(self.columns or (), self.contract), *self.checks),
        )


class HeaderOptions(AssetOptions):
    """What the header of a SQL file can say."""

    name: StrictStr | None = Field(
        default=None, description="a text", examples=['"staging.orders"']
    )
    dialect: StrictStr = Field(
        default="duckdb", description="the name of a dialect of SQL", examples=['"snowflake"']
    )

    @field_validator("dialect")
    @classmethod
    def _is_known(cls, dialect: str) -> str:
        if dialect.lower() not in DIALECTS:
            likely = nearest(dialect, DIALECTS) or ["bigquery", "postgres", "snowflake"]
            raise ValueError(f"the name of a dialect of SQL, such as {', '.join(likely)}")
        return dialect.lower()


class FunctionOptions(AssetOptions):
    """What the decorator of a function can say."""

    name: StrictStr | None = Field(
        default=None, description="a text", examples=['"staging.orders"']
    )
    outputs: Texts | None = Field(
        default=None,
        min_length=1,
        description="a list of names",
        examples=['["orders", "refunds"]'],
    )

    @field_validator("outputs")
    @classmethod
    def _is_the_only_name(cls, outputs: Texts | None, info: ValidationInfo) -> Texts | None:
        if outputs is not None and info.data.get("name") is not None:
            raise ValueError("either 'name' or 'outputs', not both")
        return outputs


class SourceOptions(DescribedOptions):
    """What can be said about a source beside where it is."""

    format: asset.SourceFormat | None = Field(
        default=None, description='"csv", "json" or "parquet"', examples=['"csv"']
    )
    read_options: Mapping[StrictStr, Any] = Field(
        default={}, description="a table of options of DuckDB's reader", examples=['{"delim": ";"}']
    )

    partitions: DeclaredPartitions | None = Field(
        default=None, description=_EXPECTED_PARTITIONS, examples=['daily("2026-01-01")']
    )
    timezone: TimezoneOfColumn | None = _TIMEZONE_OF_COLUMN
    static: StrictBool = Field(default=False, description="true or false")
    assume_complete: StrictBool = Field(default=False, description="true or false")

    @field_validator("assume_complete")
    @classmethod
    def _can_age(cls, said: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's way
        if said and info.data.get("static"):
            raise ValueError("false: a source that is `static` does not age")
        return said

    @field_validator("read_options")
    @classmethod
    def _are_literals(cls, options: Mapping[str, Any]) -> Mapping[str, str]:
        return {name: sql_literal(options[name]) for name in sorted(options)}


def sql_literal(value: object) -> str:
    """Return `value` as it is written in SQL; ValueError where it cannot be.

    >>> sql_literal({"id": "bigint", "day": ["date", True]})
    "{'id': 'bigint', 'day': ['date', true]}"
    """
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case list() | tuple():
            return f"[{', '.join(map(sql_literal, value))}]"
        case Mapping():
            pairs = (f"{sql_literal(name)}: {sql_literal(said)}" for name, said in value.items())
            return f"{{{', '.join(pairs)}}}"
    raise ValueError("texts, numbers, true or false, and lists and tables of them")
