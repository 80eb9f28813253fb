"""What the parameters of a declared function take: data, the context, configs."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from assetflow.errors import BadParameter, DefinitionError
from assetflow.model.config import Config
from assetflow.model.context import AssetContext
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.forms import (
    evaluated,
    form_of,
    mapping_of,
    shown,
    upstream_of,
    without_none,
)

_UNNAMED = {
    inspect.Parameter.POSITIONAL_ONLY: "can be given by its position only",
    inspect.Parameter.VAR_POSITIONAL: "stands for any number of inputs",
    inspect.Parameter.VAR_KEYWORD: "stands for any number of inputs",
}


@dataclass(slots=True)
class Signature:
    """The parameters of a function, by what they take; `takers` are those of data or resources.

    `optional` have a default. `formless` maps those without a default whose annotation
    is no form of data to that annotation: they can only take a resource.
    """

    inputs: list[Input] = field(default_factory=list)
    optional: list[Input] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    configs: dict[str, type] = field(default_factory=dict)
    formless: dict[str, str] = field(default_factory=dict)
    takers: list[str] = field(default_factory=list)
    errors: list[DefinitionError] = field(default_factory=list)

    @property
    def context(self) -> str:
        """Return the parameter that takes the context, or ""."""
        return next(iter(self.contexts), "")


def read_signature(function: Callable[..., Any], name: str, location: Location) -> Signature:
    """Return what the parameters of `function` take; `name` and `location` go into errors."""
    found, names = Signature(), _names_around(function)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in _UNNAMED:
            problem = _UNNAMED[parameter.kind]
            found.errors.append(BadParameter(name, parameter.name, problem, location))
        else:
            _sort(found, parameter, evaluated(parameter.annotation, names), location)
    for second in found.contexts[1:]:
        found.errors.append(BadParameter(name, second, "takes the context once more", location))
    return found


def innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function under partials and decorators that wrap it."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return function


def _names_around(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the names that the annotations of `function` may use."""
    inner = innermost(function)
    names: Mapping[str, Any] = getattr(inner, "__globals__", {})
    code, cells = getattr(inner, "__code__", None), getattr(inner, "__closure__", None) or ()
    free = zip(code.co_freevars if code else (), cells, strict=False)
    return {**names, **{name: cell.cell_contents for name, cell in free if _is_filled(cell)}}


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _sort(
    found: Signature, parameter: inspect.Parameter, annotation: object, location: Location
) -> None:
    kind = without_none(annotation)
    if _is_context(kind):
        found.contexts.append(parameter.name)
    elif isinstance(kind, type) and issubclass(kind, Config):
        found.configs[parameter.name] = kind
    else:
        found.takers.append(parameter.name)
        _sort_input(found, parameter, annotation, location)


def _is_context(annotation: object) -> bool:
    if isinstance(annotation, str):
        return annotation.split("|")[0].strip().split(".")[-1] == AssetContext.__name__
    return isinstance(annotation, type) and issubclass(annotation, AssetContext)


def _sort_input(
    found: Signature, parameter: inspect.Parameter, annotation: object, location: Location
) -> None:
    has_default = parameter.default is not inspect.Parameter.empty
    formed = form_of(annotation)
    if formed:
        inputs = found.optional if has_default else found.inputs
        made = Input(parameter.name, *formed, line=location.line)
        said = replace(made, upstream=upstream_of(annotation), mapping=mapping_of(annotation))
        inputs.append(said)
    elif not has_default:
        found.formless[parameter.name] = shown(annotation)
