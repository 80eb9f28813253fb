"""What an annotation says about an input: in which form its data arrives, which columns.

Classes are compared by the name of their package and their own, so that no library is
imported to know its classes; annotations that cannot be evaluated are compared as text.
"""

import ast
import inspect
import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from assetflow.model.declared_inputs import Form
from assetflow.model.mappings import AllPartitions, DeclaredMapping, Latest, Offset, Trailing

Formed: TypeAlias = tuple[Form, tuple[str, ...] | None]

FORMS: dict[tuple[str, str], Form] = {
    ("pyarrow", "Table"): "table",
    ("pyarrow", "RecordBatchReader"): "reader",
    ("duckdb", "DuckDBPyRelation"): "relation",
    ("pandas", "DataFrame"): "pandas",
    ("polars", "DataFrame"): "polars",
    ("polars", "LazyFrame"): "polars_lazy",
    ("pathlib", "Path"): "path",
    ("builtins", "list"): "rows",
    ("builtins", "str"): "value",
    ("builtins", "object"): "value",
}
EXPECTED_FORMS = (
    "pa.Table, pa.RecordBatchReader, duckdb.DuckDBPyRelation, pd.DataFrame, pl.DataFrame, "
    "pl.LazyFrame, list[dict], Path, str"
)

_MAPPINGS: dict[str, Callable[..., DeclaredMapping]] = {
    kind.__name__: kind for kind in (Trailing, Offset, Latest, AllPartitions)
}
_USUAL_ALIASES = {"pa": "pyarrow", "pd": "pandas", "pl": "polars"}
_AMBIGUOUS = "DataFrame"
_PACKAGES = {name: package for package, name in FORMS if name != _AMBIGUOUS}
_NONE = type(None)


@dataclass(frozen=True, init=False)
class Columns:
    """The columns of an input that a function reads: `Annotated[pa.Table, Columns("day")]`."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


@dataclass(frozen=True, slots=True)
class From:
    """The asset or source that a parameter takes where its name cannot say it.

    A dotted name is no name of a parameter: `Annotated[pa.Table, From("staging.orders")]`.
    """

    name: str


def upstream_of(annotation: object) -> str:
    """Return the name that a From in `annotation` says, "" where there is none."""
    if isinstance(annotation, str):
        calls = re.findall(r"\bFrom\(\s*[\"']([^\"']+)[\"']\s*\)", annotation)
        return calls[0] if calls else ""
    extras = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((extra.name for extra in extras if isinstance(extra, From)), "")


def mapping_of(annotation: object) -> DeclaredMapping | None:
    """Return the partition mapping that `annotation` says, None where there is none."""
    if isinstance(annotation, str):
        return _mapping_of_text(annotation)
    extras = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((extra for extra in extras if isinstance(extra, DeclaredMapping)), None)


def _mapping_of_text(text: str) -> DeclaredMapping | None:
    """Return the mapping that the text of an annotation calls, which could not be evaluated."""
    try:
        calls = [node for node in ast.walk(ast.parse(text.strip())) if isinstance(node, ast.Call)]
    except SyntaxError:
        return None
    for call in calls:
        made = _MAPPINGS.get(ast.unparse(call.func).split(".")[-1])
        if made is not None:
            keywords = {
                word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg
            }
            return made(*map(ast.literal_eval, call.args), **keywords)
    return None


def form_of(annotation: object) -> Formed | None:
    """Return the form and the declared columns that `annotation` says; None where none.

    No annotation (None, or `inspect.Parameter.empty`) stands for a table.
    """
    if isinstance(annotation, str):
        return _form_of_text(annotation)
    if annotation is None or annotation is inspect.Parameter.empty:
        return "table", None
    if get_origin(annotation) is Annotated:
        return _form_of_annotated(*get_args(annotation))
    return _form_of_type(annotation)


def evaluated(annotation: object, names: dict[str, Any]) -> object:
    """Return what the text of an annotation stands for among `names`, else the text itself.

    Names imported only for type checkers are missing at run time: then the text must do.
    """
    if not isinstance(annotation, str):
        return annotation
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return get_type_hints(holder, globalns=names, include_extras=True)["it"]
    except (NameError, AttributeError, TypeError, SyntaxError):
        return annotation


def without_none(annotation: object) -> object:
    """Return X for `X | None` and `Optional[X]`, anything else as it is."""
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not _NONE]
        return kinds[0] if len(kinds) == 1 else annotation
    return annotation


def shown(annotation: object) -> str:
    """Return `annotation` as a user would write it."""
    if isinstance(annotation, type) and not get_args(annotation):
        return _class_name(annotation)
    return str(annotation)


def _form_of_annotated(kind: object, *extras: object) -> Formed | None:
    found = form_of(kind)
    names = next((extra.names for extra in extras if isinstance(extra, Columns)), None)
    if found is None or not all(isinstance(name, str) for name in names or ()):
        return None
    return found[0], names


def _form_of_type(annotation: object) -> Formed | None:
    kind = without_none(annotation)
    if kind is not annotation:
        return form_of(kind)
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if not isinstance(origin, type) or (arguments and not _holds_dicts(arguments)):
        return None
    return _named(origin.__module__.split(".")[0].lstrip("_"), origin.__qualname__)


def _holds_dicts(arguments: tuple[object, ...]) -> bool:
    return (get_origin(arguments[0]) or arguments[0]) is dict


def _class_name(kind: type) -> str:
    package = kind.__module__.split(".")[0].lstrip("_")
    return kind.__qualname__ if package == "builtins" else f"{package}.{kind.__qualname__}"


def _named(package: str, name: str) -> Formed | None:
    form = FORMS.get((package, name))
    return (form, None) if form else None


def _form_of_text(text: str) -> Formed | None:
    try:
        return _form_of_node(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        return None


def _form_of_node(node: ast.expr) -> Formed | None:
    match node:
        case ast.Constant(value=str(text)):
            return _form_of_text(text)
        case ast.Name() | ast.Attribute():
            return _form_of_name(ast.unparse(node))
        case ast.BinOp(left=kind, op=ast.BitOr(), right=ast.Constant(value=None)):
            return _form_of_node(kind)
        case ast.Subscript(value=ast.Name() | ast.Attribute() as outer, slice=inner):
            return _form_of_subscript(ast.unparse(outer).split(".")[-1], inner)
    return None


def _form_of_name(text: str) -> Formed | None:
    package, _, name = text.rpartition(".")
    if not package:
        return _named(_PACKAGES.get(name, ""), name)
    first = package.split(".")[0]
    return _named(_USUAL_ALIASES.get(first, first), name)


def _form_of_subscript(outer: str, inner: ast.expr) -> Formed | None:
    match outer, inner:
        case "Annotated", ast.Tuple(elts=[kind, *extras]):
            found = _form_of_node(kind)
            return (found[0], _columns_in(extras)) if found else None
        case "Optional", _:
            return _form_of_node(inner)
        case "list" | "List", _ if ast.unparse(inner).split("[")[0] in ("dict", "Dict"):
            return "rows", None
    return None


def _columns_in(extras: list[ast.expr]) -> tuple[str, ...] | None:
    for extra in extras:
        match extra:
            case ast.Call(func=function, args=args) if ast.unparse(function).endswith("Columns"):
                names = [arg.value for arg in args if isinstance(arg, ast.Constant)]
                return tuple(cast("list[str]", names))
    return None
