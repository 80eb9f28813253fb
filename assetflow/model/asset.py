"""What a user declares to exist: assets and sources, as frozen values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from assetflow.model.checks import Check
from assetflow.model.columns import ContractMode, Schema
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.mappings import DeclaredMapping
from assetflow.model.names import AssetName
from assetflow.model.partitions import Partitions

Isolation = Literal["thread", "process"]


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a failed step is tried again, and how long it waits, doubling each time."""

    attempts: int = 0
    backoff_seconds: float = 1.0
    longest_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the decorator and the header can say about an asset, validated.

    `mappings` are by the name of the input. `partition_by` is the column that says to which
    partition a row belongs, `key_column` the one under which readers of the whole see keys,
    `event_time` the one by whose time partitioned readers of the whole are cut. `checks`
    are all checks of the asset once the project is loaded, wherever they are declared; its
    contract is one of them.
    """

    description: str = ""
    group: str = ""
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    columns: Schema | None = None
    ordered: bool = False
    volatile: bool = False
    float_digits: int | None = None
    retries: Retries = Retries()
    timeout_seconds: float | None = None
    pool: str = ""
    isolation: Isolation = "thread"
    version: str = ""
    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    renamed_from: str = ""
    partitions: Partitions | None = None
    mappings: Mapping[str, DeclaredMapping] = field(default_factory=dict, hash=False)
    batch_size: int = 1
    partition_by: str = ""
    key_column: str = ""
    event_time: str = ""
    timezone: str = ""
    freshness: FreshnessPolicy | None = None
    contract: ContractMode | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class SqlBody:
    """One query. `text` is without the header; `first_line` is where it starts in the file."""

    text: str
    dialect: str = "duckdb"
    first_line: int = 1


@dataclass(frozen=True, slots=True)
class PythonBody:
    """One function that makes one asset, or several (`outputs` names them, in order).

    `context` is the name of the parameter that takes the AssetContext, `configs` maps
    parameters to the Config classes they are annotated with, `resources` are the
    parameters that take a resource. `optional` are the parameters with a default: inputs
    where an asset or source has their name, else constants.
    """

    function: Callable[..., Any] = field(compare=False)
    outputs: tuple[AssetName, ...] = ()
    context: str = ""
    configs: Mapping[str, type] = field(default_factory=dict, compare=False)
    resources: tuple[str, ...] = ()
    optional: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True)
class Asset:
    """A table or file that the project makes."""

    name: AssetName
    body: SqlBody | PythonBody
    location: Location
    inputs: tuple[Input, ...] = ()
    options: Options = Options()

    @property
    def kind(self) -> Literal["python", "sql"]:
        """Return in which language the asset is written."""
        return "sql" if isinstance(self.body, SqlBody) else "python"


SourceFormat = Literal["csv", "json", "parquet"]


@dataclass(frozen=True, slots=True)
class Source:
    """Data that the project reads and does not make: files under a glob, or an answer.

    Either `path` (relative to the project's root) or `observe` is given. A file read
    that a query names itself is a source whose name is its path (`is_inline`): its
    globs are `reads`, and `call` is the SQL that reads `{paths}`. With `partitions` the
    `path` says of each file to which it belongs (`model.path_keys`); where the source
    `finds_keys`, they are not declared but those of its files. `event_time` is the
    column by whose time the source is cut, and how recent it is; it is read in `timezone`
    where it has none. A `static` source does not age; with `assume_complete` it is as
    recent as the look at it.
    """

    name: AssetName
    location: Location
    path: str = ""
    format: SourceFormat | None = None
    observe: Callable[[], object] | None = field(default=None, compare=False)
    read_options: tuple[tuple[str, str], ...] = ()
    columns: Schema | None = None
    description: str = ""
    group: str = ""
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    call: str = ""
    partitions: Partitions | None = None
    finds_keys: bool = False
    event_time: str = ""
    timezone: str = ""
    static: bool = False
    assume_complete: bool = False
    freshness: FreshnessPolicy | None = None

    @property
    def is_inline(self) -> bool:
        """Whether a query reads the files itself, under no name."""
        return bool(self.reads)


@dataclass(frozen=True, slots=True)
class Resource:
    """A shared client or connection that assets take as a parameter; no part of any key.

    `configs` maps the parameters of `make` to the Config classes they are annotated with.
    """

    name: str
    location: Location
    make: Callable[..., Any] = field(compare=False)
    configs: Mapping[str, type] = field(default_factory=dict, compare=False)
