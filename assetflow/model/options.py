"""What the decorator and the SQL header can say: one pydantic model for both.

Retries is the name that users write; frozen, it is that of `model.asset`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

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

from assetflow.errors import nearest
from assetflow.model import asset
from assetflow.model.columns import Column, Schema
from assetflow.model.durations import EXPECTED_DURATION, find_seconds
from assetflow.model.names import folded

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
_COLUMN_KEYS = {"type", "description"}
_EXPECTED_COLUMNS = "for each column its type, or a table with its type and description"


def _seconds(value: object) -> float:
    seconds = find_seconds(value)
    if seconds is None:
        raise ValueError(EXPECTED_DURATION)
    return seconds


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
    columns = tuple(_column(name, said) for name, said in value.items())
    if len({folded(column.name) for column in columns}) < len(columns):
        raise ValueError("names of columns that differ in more than case")
    return columns


def _column(name: object, said: object) -> Column:
    keys = {"type": said} if isinstance(said, str) else said
    if not isinstance(keys, Mapping) or not keys.keys() <= _COLUMN_KEYS or not name:
        raise ValueError(_EXPECTED_COLUMNS)
    kind, description = keys.get("type"), keys.get("description", "")
    if not isinstance(kind, str) or not kind.strip() or not isinstance(description, str):
        raise ValueError(_EXPECTED_COLUMNS)
    return Column(str(name), kind.strip(), description)


def _retries(value: object) -> object:
    return {"attempts": value} if isinstance(value, int) else value


Duration = Annotated[float, BeforeValidator(_seconds)]
DeclaredColumns = Annotated[Schema, PlainValidator(_columns)]
Owner = Annotated[StrictStr, _one_of(_OWNER, 'an e-mail address, or a name such as "team:sales"')]
Label = Annotated[StrictStr, _one_of(_LABEL, "a text without spaces and commas")]
Texts = tuple[StrictStr, ...]


class Retries(NamedTuple):
    """How often a failed step is tried again: `backoff` doubles from one try to the next."""

    attempts: Annotated[StrictInt, Field(ge=0)]
    backoff: Annotated[float | str, BeforeValidator(_seconds)] = 1.0

    def frozen(self) -> asset.Retries:
        """Return what the executor reads; `backoff` has been validated."""
        return asset.Retries(self.attempts, float(self.backoff))


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
