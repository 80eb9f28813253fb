"""Values that users write, checked by pydantic models; each problem an error of its own.

A field's `description` says what is expected of it, its first example how to write it:
a new key is one field. What a model names as `meaningless` are keys that others like it have,
and why it has them not.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from assetflow.errors import BadValue, DefinitionError, MissingKey, UnknownKey

M = TypeVar("M", bound=BaseModel)

_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
_MISSING = {"missing", "missing_argument"}
_OF_A_KEY = "[key]"
_SHOULD_BE = "Input should be "
_PLAINER = {"Field required": "a value"}


def validate(
    model: type[M], values: Mapping[str, Any], of: str, at: Callable[[Sequence[str]], object]
) -> tuple[M | None, tuple[DefinitionError, ...]]:
    """Return `values` as a `model`, or None with one error for each problem, by their lines.

    `of` says whose keys they are ("asset 'orders'"); `at` gives the place of a key,
    which is named by the keys of the tables around it and its own.
    """
    try:
        return model.model_validate(dict(values)), ()
    except ValidationError as error:
        found = [_problem(model, values, details, of, at) for details in error.errors()]
    return None, tuple(problem for _, problem in sorted(found, key=lambda pair: pair[0]))


def _problem(
    model: type[BaseModel],
    values: Mapping[str, Any],
    details: ErrorDetails,
    of: str,
    at: Callable[[Sequence[str]], object],
) -> tuple[int, DefinitionError]:
    """Return the line of one problem, where its place has one, and the error."""
    path = [part for part in details["loc"] if isinstance(part, str) and part != _OF_A_KEY]
    place = at(path)
    return getattr(place, "line", 0), _error(model, details, path, values, of, place)


def _error(
    model: type[BaseModel],
    details: ErrorDetails,
    path: list[str],
    values: Mapping[str, Any],
    of: str,
    place: object,
) -> DefinitionError:
    if details["type"] in _UNKNOWN:
        why = getattr(model, "meaningless", {}).get(path[-1], "") if len(path) == 1 else ""
        known = _known_keys(model, path[:-1])
        return UnknownKey(path[-1], _owner(path[:-1], of), known, place, why)
    expected, example = _expectation(model, path, details)
    if details["type"] in _MISSING:
        return MissingKey(".".join(path), of, expected, example, place)
    return BadValue(*_written(values, details), of, expected, example, place)


def _written(values: Mapping[str, Any], details: ErrorDetails) -> tuple[str, object]:
    """Return the key and the value that the user wrote; what a validator made of it may differ."""
    given: Any = values
    keys = list[str]()
    for part in details["loc"]:
        if part == _OF_A_KEY:
            return ".".join(keys), details["input"]
        try:
            given = (given._asdict() if hasattr(given, "_asdict") else given)[part]
        except (KeyError, IndexError, TypeError):
            break
        keys += [part] if isinstance(part, str) else []
    return ".".join(keys), given


def _owner(path: list[str], of: str) -> str:
    return f"'{'.'.join(path)}' of {of}" if path else of


def _expectation(model: type[BaseModel], path: list[str], details: ErrorDetails) -> tuple[str, str]:
    """Return what is expected at `path`, and an example of how to write it."""
    name, field = _field_at(model, path)
    said = field.description if field else None
    if details["type"] == "value_error" or not said:
        said = str(details.get("ctx", {}).get("error", details["msg"]))
        said = _PLAINER.get(said, said.removeprefix(_SHOULD_BE))
    examples = (field.examples if field else None) or []
    return said, f"{name} = {examples[0]}" if examples else ""


def _field_at(model: type[BaseModel], path: list[str]) -> tuple[str, FieldInfo | None]:
    """Return the innermost field at `path`; names that users chose in between are none."""
    table: Any = model
    found: tuple[str, FieldInfo | None] = ("", None)
    for part in path:
        field = getattr(table, "model_fields", {}).get(part) or _field_of_tuple(table, part)
        if field:
            found, table = (part, field), _table_in(field.annotation)
    return found


def _field_of_tuple(table: Any, part: str) -> FieldInfo | None:
    """Return what a named tuple tells of one of its fields, if it has an example of it."""
    hints = get_type_hints(table, include_extras=True) if hasattr(table, "_fields") else {}
    told = get_args(hints.get(part))
    return next((one for one in told if isinstance(one, FieldInfo) and one.examples), None)


def _known_keys(model: type[BaseModel], path: list[str]) -> tuple[str, ...]:
    """Return the keys that the table at `path` may have."""
    _, field = _field_at(model, path)
    table = _table_in(field.annotation) if field else model
    return tuple(getattr(table, "model_fields", getattr(table, "_fields", ())))


def _table_in(annotation: Any) -> type | None:
    """Return the model or named tuple that `annotation` is made of."""
    # An annotated type passes on the attributes of what it annotates.
    is_table = hasattr(annotation, "model_fields") or hasattr(annotation, "_fields")
    if is_table and isinstance(annotation, type):
        return annotation
    return next(filter(None, map(_table_in, get_args(annotation))), None)
