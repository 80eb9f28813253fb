"""Where the project is, and what its settings say."""

import os
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictInt,
    StrictStr,
    field_validator,
)

from assetflow.errors import NoProject, NoSettings, ProjectErrors, TwoSettings, UnreadableFile
from assetflow.model.declared_inputs import Location
from assetflow.model.durations import EXPECTED_DURATION
from assetflow.model.freshness import EXPECTED_FRESHNESS, DeclaredFreshness, FreshnessPolicy
from assetflow.model.validation import validate
from assetflow.model.written_types import Duration
from assetflow.project.toml_text import decode, line_of, parse_toml

PROJECT_VARIABLE = "ASSETFLOW_PROJECT"
OWN_FILE = "assetflow.toml"
SHARED_FILE = "pyproject.toml"

_MEMORY = re.compile(r"\d+(\.\d+)?\s*([KMGT]i?)?B", re.IGNORECASE)
_VARIABLE = re.compile(r"[^\W\d]\w*")
_AN_HOUR = 3600.0
_TABLE = "assetflow"


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float | bool):
        raise ValueError("a text, a number, true or false")  # noqa: TRY004 - pydantic's way
    return value


def _variable_name(name: object) -> object:
    if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
        raise ValueError("names of variables: letters, digits and underscores")
    return name


Variables = Mapping[
    Annotated[str, BeforeValidator(_variable_name)],
    Annotated[str | int | float | bool, PlainValidator(_scalar)],
]
Limit = Annotated[StrictInt, Field(ge=1)]


class Environment(BaseModel):
    """What is different in one environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variables: Variables = Field(default={}, description="a table of texts and numbers")
    sources: Mapping[StrictStr, StrictStr] = Field(
        default={}, description="for each source its path", examples=['{ orders = "sample.csv" }']
    )
    config: Mapping[str, Mapping[str, Any]] = Field(
        default={}, description="for each config a table of its values"
    )


class FreshnessTables(BaseModel):
    """Policies for all assets and sources of a group, or with a tag, that have none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: Mapping[str, DeclaredFreshness] = Field(
        default={}, description=EXPECTED_FRESHNESS, examples=['{ marts = { max_lag = "6h" } }']
    )
    tags: Mapping[str, DeclaredFreshness] = Field(
        default={}, description=EXPECTED_FRESHNESS, examples=['{ daily = { max_lag = "1d" } }']
    )

    def frozen(self) -> tuple[dict[str, FreshnessPolicy], dict[str, FreshnessPolicy]]:
        """Return the policies by group, and those by tag."""
        groups = {name: said.frozen() for name, said in self.groups.items()}
        return groups, {name: said.frozen() for name, said in self.tags.items()}


class RepairSettings(BaseModel):
    """How often a failed check is tried to be mended, and how long it waits between."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_attempts: Limit = Field(
        default=3, description="a number of attempts, at least 1", examples=["3"]
    )
    cool_down: Duration = Field(
        default=600.0, ge=0, description=EXPECTED_DURATION, examples=['"10m"']
    )


class Settings(BaseModel):
    """What `[tool.assetflow]` says, with defaults for what it does not say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    package: StrictStr = Field(
        description="the name of the folder that holds the assets", examples=['"shop"']
    )
    threads: StrictInt = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        description="a number of threads, at least 1",
        examples=["4"],
    )
    memory_limit: StrictStr | None = Field(
        default=None, description="an amount of memory", examples=['"4GB"']
    )
    pools: Mapping[str, Limit] = Field(
        default={},
        description="for each pool how many steps may run in it, at least 1",
        examples=["{ api = 4 }"],
    )
    timezone: StrictStr = Field(
        default="UTC", description="the name of a time zone", examples=['"Europe/Berlin"']
    )
    state: StrictStr = Field(
        default=".assetflow", description="the path of a folder", examples=['".assetflow"']
    )
    variables: Variables = Field(default={}, description="a table of texts and numbers")
    publish: Literal["run", "all", "each"] = Field(
        default="run", description='"run", "all" or "each"', examples=['"run"']
    )
    max_partitions: Limit = Field(
        default=1000,
        description="how many partitions of an asset may run where none are named, at least 1",
        examples=["1000"],
    )
    retention: Duration = Field(
        default=7 * 24 * _AN_HOUR,
        ge=_AN_HOUR,
        description=f"{EXPECTED_DURATION}; at least an hour",
        examples=['"7d"'],
    )
    repair: RepairSettings = Field(
        default=RepairSettings(), description="a table with max_attempts and cool_down"
    )
    config: Mapping[str, Mapping[str, Any]] = Field(
        default={}, description="for each config a table of its values"
    )
    freshness: FreshnessTables = Field(
        default=FreshnessTables(), description="a table with the tables groups and tags"
    )
    environments: Mapping[str, Environment] = Field(
        default={}, description="for each environment a table with variables, sources and config"
    )

    @field_validator("package")
    @classmethod
    def _can_be_imported(cls, package: str) -> str:
        if not package.isidentifier() or package in {*sys.stdlib_module_names, _TABLE}:
            raise ValueError("the name of a folder that is also a name of a Python package")
        return package

    @field_validator("memory_limit")
    @classmethod
    def _is_an_amount(cls, limit: str | None) -> str | None:
        if limit is not None and not _MEMORY.fullmatch(limit.strip()):
            raise ValueError('an amount of memory such as "4GB" or "512MiB"')
        return limit

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name != "UTC" and not _is_zone(name):
            raise ValueError('the name of a time zone, such as "UTC" or "Europe/Berlin"')
        return name

    def environment(self, name: str) -> Environment:
        """Return what is different in the environment `name`, nothing where it is not named."""
        return self.environments.get(name) or Environment()

    def differing(self, name: str, other: str) -> dict[str, tuple[str, ...]]:
        """Return the names of what is different in the environments `name` and `other`.

        By `variables`, `sources` and `config`; what is the same in both is left out.
        """
        one, two = self.environment(name), self.environment(other)
        found = {
            "variables": _differing(
                {**self.variables, **one.variables}, {**self.variables, **two.variables}
            ),
            "sources": _differing(one.sources, two.sources),
            "config": _differing(self._config_of(one), self._config_of(two)),
        }
        return {kind: names for kind, names in found.items() if names}

    def _config_of(self, environment: Environment) -> dict[str, object]:
        """Return each value of the configs, named `section.field`."""
        tables = (self.config, environment.config)
        return {
            f"{section}.{name}": value
            for table in tables
            for section, values in table.items()
            for name, value in values.items()
        }


def _differing(one: Mapping[str, object], other: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names that only one has, or that have another value or type of value."""
    return tuple(
        name
        for name in sorted({*one, *other})
        if repr(one.get(name)) != repr(other.get(name)) or (name in one) != (name in other)
    )


def find_project(start: Path, explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the root of the project: `explicit`, else the nearest folder with settings.

    Where neither `start` nor a folder above it has settings, ASSETFLOW_PROJECT names it.
    """
    if explicit is not None:
        return _checked(explicit, "--project")
    above = start.absolute()
    for folder in (above, *above.parents):
        if _has_settings(folder):
            return folder
    if environ.get(PROJECT_VARIABLE):
        return _checked(Path(environ[PROJECT_VARIABLE]), PROJECT_VARIABLE)
    raise NoProject(start)


def read_settings(root: Path) -> Settings:
    """Return the settings of the project at `root`; ProjectErrors holds all that is wrong."""
    own, shared = root / OWN_FILE, root / SHARED_FILE
    if own.exists() and _names_assetflow(shared):
        raise TwoSettings(root)
    path = own if own.exists() else shared
    text = _read(path)
    keys = parse_toml(text, f"The file {path.name}", path.name)
    if path == shared:
        keys = _own_table(keys) or {}
    found, errors = validate(Settings, keys, "the settings", partial(_place, path, text))
    if found is None:
        raise ProjectErrors(errors)
    return found


def place_of(root: Path, keys: Sequence[str]) -> Location | str:
    """Return where `keys` stand in the settings of the project at `root`, if it has a file."""
    found = (root / name for name in (OWN_FILE, SHARED_FILE) if (root / name).is_file())
    path = next(found, None)
    return "the settings" if path is None else _place(path, _read(path), keys)


def _place(path: Path, text: str, keys: Sequence[str]) -> Location:
    """Return where `keys` stand, or where the settings begin."""
    table = ("tool", _TABLE) if path.name == SHARED_FILE else ()
    return Location(path.name, line_of(text, (*table, *keys)))


def _checked(folder: Path, named_by: str) -> Path:
    if not _has_settings(folder):
        raise NoSettings(folder, named_by)
    return folder.absolute()


def _has_settings(folder: Path) -> bool:
    return (folder / OWN_FILE).is_file() or _names_assetflow(folder / SHARED_FILE)


def _own_table(keys: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the table [tool.assetflow], if a pyproject.toml has it."""
    tool = keys.get("tool")
    table = tool.get(_TABLE) if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _names_assetflow(path: Path) -> bool:
    """Return whether a pyproject.toml has our table; a malformed one, whether it may have."""
    try:
        data = path.read_bytes()
        if _TABLE.encode() not in data:
            return False
        return _own_table(tomllib.loads(data.decode("utf-8-sig"))) is not None
    except OSError:
        return False
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return True


def _read(path: Path) -> str:
    try:
        return decode(path.read_bytes(), path.name)
    except OSError as error:
        raise UnreadableFile(path.name, error.strerror or str(error)) from None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
