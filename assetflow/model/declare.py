"""How a user declares assets, sources and resources in Python.

What is declared while a project is loaded goes to the collector that is active then;
at any other time nothing is collected, and a declaration that cannot work raises at once.
"""

import functools
import inspect
import linecache
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Generic, ParamSpec, TypeVar, overload

from assetflow.errors import (
    AssetflowError,
    BadDeclaredName,
    BadName,
    BadPathPattern,
    DefinitionError,
    NotAFunction,
    ObserveTakesParameters,
    ProjectErrors,
    ResourceTakesData,
    SourceNeedsOne,
    SourceWithoutFiles,
    UnknownForm,
    UnknownFormat,
)
from assetflow.model.asset import Asset, PythonBody, Resource, Source, SourceFormat
from assetflow.model.check_options import read_checks
from assetflow.model.checks import CheckOf
from assetflow.model.config import Config, Secret
from assetflow.model.context import AssetContext
from assetflow.model.declared_inputs import Location
from assetflow.model.forms import EXPECTED_FORMS, Columns
from assetflow.model.names import AssetName, check_name
from assetflow.model.options import FunctionOptions, Retries, SourceOptions
from assetflow.model.partitions import Partitions
from assetflow.model.path_keys import (
    allowed_names,
    find_path_problem,
    has_keys,
    inferred_partitions,
)
from assetflow.model.signature import Signature, innermost, read_signature
from assetflow.model.validation import validate

__all__ = [
    "AssetContext",
    "AssetFunction",
    "Collector",
    "Columns",
    "Config",
    "ResourceFunction",
    "Retries",
    "Secret",
    "asset",
    "collecting",
    "format_of",
    "named",
    "resource",
    "source",
]

P = ParamSpec("P")
R = TypeVar("R")

_OWN_FOLDER = str(Path(__file__).parent)
_DECLARE_PARTITIONS = 'Add partitions=, such as daily("2026-01-01"), or write ? for a brace.'
_EVENT_TIME_IS_ENOUGH = "Leave out partitions=: its readers are cut by event_time."
_COMPRESSED = (".gz", ".zst")
_FORMATS: Mapping[str, SourceFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
}


@dataclass(slots=True)
class Collector:
    """What the modules of the project at `root` declare while they are imported."""

    root: Path
    functions: list["AssetFunction[..., Any]"] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    checks: list[CheckOf] = field(default_factory=list)
    errors: list[DefinitionError] = field(default_factory=list)


_active: ContextVar[Collector | None] = ContextVar("collector", default=None)


@contextmanager
def collecting(root: Path) -> Iterator[Collector]:
    """Collect what is declared inside the block; places are given relative to `root`."""
    token = _active.set(Collector(root))
    try:
        yield _active.get() or Collector(root)
    finally:
        _active.reset(token)


class AssetFunction(Generic[P, R]):
    """A function that makes assets; called, it is just the function, so tests can call it.

    `declarations` are the assets, none where the declaration cannot work. `signature`
    holds all parameters, those that only a resource could fill included.
    """

    def __init__(
        self, function: Callable[P, R], declarations: tuple[Asset, ...], signature: Signature
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.declarations = declarations
        self.signature = signature

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself."""
        return self.function(*args, **kwargs)

    def form_errors(self, resources: frozenset[str]) -> tuple[DefinitionError, ...]:
        """Return an error for each parameter that takes neither data nor one of `resources`."""
        return tuple(
            UnknownForm(asset.name, name, annotation, EXPECTED_FORMS, asset.location)
            for asset in self.declarations[:1]
            for name, annotation in self.signature.formless.items()
            if name not in resources
        )


class ResourceFunction(Generic[P, R]):
    """A function that makes a resource; called, it is just the function."""

    def __init__(self, function: Callable[P, R], declaration: Resource | None) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.declaration = declaration

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself."""
        return self.function(*args, **kwargs)


@overload
def asset(function: Callable[P, R], /) -> AssetFunction[P, R]: ...


@overload
def asset(**options: Any) -> Callable[[Callable[P, R]], AssetFunction[P, R]]: ...


def asset(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Declare that a function makes an asset, or with `outputs=[…]` several.

    The function's name is the asset's, unless `name=` says another; parameters are the
    inputs. `options` are the keys of a SQL file's header: see the reference of options.
    """
    if function is None:
        return functools.partial(_declare_asset, options=options)
    return _declare_asset(function, options)


def declare_check(declared: CheckOf) -> None:
    """Give a check that stands apart from its asset to the collector, if there is one."""
    collector = _active.get()
    if collector is not None:
        collector.checks.append(declared)


@overload
def resource(function: Callable[P, R], /) -> ResourceFunction[P, R]: ...


@overload
def resource(*, name: str) -> Callable[[Callable[P, R]], ResourceFunction[P, R]]: ...


def resource(function: Callable[..., Any] | None = None, /, *, name: str = "") -> Any:
    """Declare that a function makes a resource: assets with a parameter of its name share it."""
    if function is None:
        return functools.partial(_declare_resource, name=name)
    return _declare_resource(function)


def source(
    name: str,
    *,
    path: str | Path | None = None,
    observe: Callable[[], object] | None = None,
    **options: Any,
) -> Source:
    """Declare data that the project reads: files at `path` (a glob), or what `observe` sees.

    `options` are `format` (else the suffix of the path says it), `columns`, `description`,
    `group`, `owners`, `tags`, and `read_options` for DuckDB's reader; `partitions` where
    the path says to which a file belongs (`{day}`, `{key}`, `month=*`), and `event_time`,
    the column (in `timezone`) by whose time partitioned readers are cut and data ages.
    With `static=True` the source does not age; with `assume_complete=True` it is as recent
    as the look at it. `freshness` says how old its data may be,
    "none" that no policy of the settings holds for it.
    """
    location = place_of_caller()
    text = "" if path is None else Path(path).as_posix() if isinstance(path, Path) else path
    found, errors = _made_source(name, text, observe, options, location)
    tell(errors)
    collector = _active.get()
    if collector is not None and not errors:
        collector.sources.append(found)
    return found


def format_of(path: str) -> SourceFormat | None:
    """Return the format that the suffix of `path` says.

    >>> format_of("data/orders-*.csv.gz")
    'csv'
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    kept = [suffix for suffix in suffixes if suffix not in _COMPRESSED]
    return _FORMATS.get(kept[-1]) if kept else None


def named(name: str, what: str, place: object) -> AssetName:
    """Return `name` if it may name `what` ("an asset"); BadDeclaredName says where it stands."""
    try:
        return check_name(name)
    except BadName:
        raise BadDeclaredName(what, name, place) from None


def _declare_asset(function: Callable[P, R], options: Mapping[str, Any]) -> AssetFunction[P, R]:
    try:
        location = location_of(function, "asset")
        signature = read_signature(function, name_of(function), location)
        assets, errors = _made_assets(function, options, signature, location)
    except DefinitionError as error:
        signature, assets, errors = Signature(), (), (error,)
    made = AssetFunction(function, assets, signature)
    tell(errors)
    collector = _active.get()
    if collector is not None:
        collector.functions.append(made)
    return made


def _made_assets(
    function: Callable[..., Any],
    options: Mapping[str, Any],
    signature: Signature,
    location: Location,
) -> tuple[tuple[Asset, ...], tuple[DefinitionError, ...]]:
    """Return the assets that `function` makes, none where there are errors."""
    own_name = str(options.get("name") or name_of(function))
    said = {"description": summary_of(function), **options}
    of = f"asset {own_name!r}"
    checks, wrong = read_checks(said.get("checks", ()), of, lambda _kind, _earlier: location)
    said["checks"] = checks
    found, errors = validate(FunctionOptions, said, of, lambda _: location)
    errors = (*signature.errors, *errors, *wrong)
    if found is None or errors:
        return (), errors
    names = tuple(named(name, "an asset", location) for name in found.outputs or (own_name,))
    body = PythonBody(
        function,
        outputs=names if found.outputs else (),
        context=signature.context,
        configs=signature.configs,
        optional=tuple(signature.optional),
    )
    inputs, frozen = tuple(signature.inputs), found.frozen()
    return tuple(Asset(name, body, location, inputs, frozen) for name in names), ()


def _declare_resource(function: Callable[P, R], name: str = "") -> ResourceFunction[P, R]:
    try:
        found, errors = _made_resource(function, name)
    except DefinitionError as error:
        found, errors = None, (error,)
    tell(errors)
    collector = _active.get()
    if collector is not None and found is not None:
        collector.resources.append(found)
    return ResourceFunction(function, found)


def _made_resource(
    function: Callable[..., Any], name: str
) -> tuple[Resource | None, tuple[DefinitionError, ...]]:
    location = location_of(function, "resource")
    checked = named(name or name_of(function), "a resource", location)
    signature = read_signature(function, checked, location)
    data = [*(read.name for read in signature.inputs), *signature.formless, *signature.contexts]
    errors = [ResourceTakesData(checked, parameter, location) for parameter in data]
    if errors or signature.errors:
        return None, (*signature.errors, *errors)
    return Resource(checked, location, function, signature.configs), ()


def _made_source(
    name: str,
    path: str,
    observe: Callable[[], object] | None,
    options: Mapping[str, Any],
    location: Location,
) -> tuple[Source, tuple[DefinitionError, ...]]:
    """Return the source; where there are errors it stands for one that cannot be used."""
    found, errors = validate(SourceOptions, options, f"source {name!r}", lambda _: location)
    said = found or SourceOptions()
    file_format = said.format or format_of(path)
    inferred = inferred_partitions(name, path)
    made = Source(
        AssetName(name),
        location,
        path=path,
        format=file_format if path else None,
        observe=observe,
        read_options=tuple(said.read_options.items()),
        columns=said.columns,
        description=said.description,
        group=said.group or "",
        owners=said.owners,
        tags=said.tags,
        partitions=said.partitions or inferred,
        finds_keys=said.partitions is None and inferred is not None,
        event_time=said.event_time or "",
        timezone=said.timezone or "",
        static=said.static,
        assume_complete=said.assume_complete,
        freshness=None if said.freshness is None else said.freshness.frozen(),
    )
    return made, (*_source_errors(made), *errors)


def _source_errors(made: Source) -> Iterator[DefinitionError]:
    try:
        named(made.name, "a source", made.location)
    except DefinitionError as error:
        yield error
    if bool(made.path) == (made.observe is not None):
        yield SourceNeedsOne(made.name, "both" if made.path else "neither", made.location)
    elif made.path and made.format is None:
        yield UnknownFormat(made.name, made.path, made.location)
    elif made.observe and not _needs_nothing(made.observe):
        yield ObserveTakesParameters(made.name, name_of(made.observe), made.location)
    yield from _partition_errors(made)


def _partition_errors(made: Source) -> Iterator[DefinitionError]:
    """Yield what is wrong with how a source tells to which partitions its rows belong."""
    if made.observe:
        keys = {"partitions": made.partitions, "event_time": made.event_time}
        yield from (
            SourceWithoutFiles(made.name, key, made.location) for key, said in keys.items() if said
        )
    elif made.partitions is None:
        if has_keys(made.path):
            why, hint = "it has placeholders, but the source no partitions", _DECLARE_PARTITIONS
            yield BadPathPattern(made.name, made.path, why, hint, made.location)
    elif problem := find_path_problem(made.path, made.partitions):
        hint = _EVENT_TIME_IS_ENOUGH if made.event_time else _names_hint(made.partitions)
        yield BadPathPattern(made.name, made.path, problem, hint, made.location)


def _names_hint(partitions: Partitions) -> str:
    names = " or ".join(f"{{{name}}}" for name in allowed_names(partitions))
    return f"Write {names} where the path has the key, or year=*/month=* for such folders."


def _needs_nothing(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind()
    except TypeError:
        return False
    return True


def tell(errors: tuple[DefinitionError, ...]) -> None:
    """Give `errors` to the collector; without one, raise them."""
    collector = _active.get()
    if collector is not None:
        collector.errors.extend(errors)
    elif errors:
        raise _together(errors)


def _together(errors: tuple[DefinitionError, ...]) -> AssetflowError:
    return errors[0] if len(errors) == 1 else ProjectErrors(errors)


def name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", ""))


def summary_of(function: Callable[..., Any]) -> str:
    """Return the first paragraph of the docstring, on one line."""
    paragraph = (inspect.getdoc(innermost(function)) or "").split("\n\n")[0]
    return " ".join(paragraph.split())


def location_of(function: Callable[..., Any], decorator: str) -> Location:
    """Return where `function` is defined: the line of its `def`; NotAFunction if it is none."""
    inner = innermost(function)
    code = getattr(inner, "__code__", None)
    if code is None or inspect.iscoroutinefunction(inner):
        kind = "an async function" if code else "a class" if isinstance(inner, type) else "a value"
        raise NotAFunction(decorator, kind, place_of_caller())
    return Location(_shown_path(code.co_filename), _line_of_def(code.co_filename, code))


def _line_of_def(filename: str, code: Any) -> int:
    """Return the line of the `def`; the code itself begins at its first decorator."""
    begins = re.compile(rf"\s*(async\s+)?def\s+{re.escape(code.co_name)}\b")
    first: int = code.co_firstlineno
    lines = linecache.getlines(filename)[first - 1 :]
    return next((first + n for n, line in enumerate(lines) if begins.match(line)), first)


def place_of_caller() -> Location:
    """Return where the user's code called assetflow to declare something."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the documented way to the caller
    while frame is not None and frame.f_code.co_filename.startswith(_OWN_FOLDER):
        frame = frame.f_back
    if frame is None:
        return Location("")
    return Location(_shown_path(frame.f_code.co_filename), frame.f_lineno)


def _shown_path(filename: str) -> str:
    """Return `filename` relative to the project that is loaded, else as it is."""
    collector, path = _active.get(), Path(filename)
    if collector is not None and path.is_relative_to(collector.root):
        return path.relative_to(collector.root).as_posix()
    return filename
