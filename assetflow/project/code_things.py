"""The things of a project that code can reach, each as text with references to the next.

A thing is a function, a class, a module that is handed around, or a value with a name. It
is written once and shared by all that reach it.
"""

import ast
import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MappingProxyType, ModuleType
from typing import Any

from assetflow.model.fingerprint import fingerprint
from assetflow.project.code_names import NameRead, names_read
from assetflow.project.code_scopes import MISSING, Found, Ownership, Resolver, Scope
from assetflow.project.code_sources import Files
from assetflow.project.code_values import NoText, type_name, value_text
from assetflow.project.outside_reads import OutsideRead, method_reads, outside_name

Key = tuple[str, str, int]
"""Kind, name and identity of a thing."""

_SECRET = re.compile(r"secret|passw|token|credential|api_?key|private_?key", re.IGNORECASE)
_PLAIN = (property, staticmethod, classmethod, type, ModuleType)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a thing leads to, by the label that its code has for it.

    `target` is None for what is not the project's own: its `name` is all that counts.
    """

    label: str
    name: str
    target: Key | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Thing:
    """One function, class, module or value, as text. `problem` says why it has none."""

    name: str
    text: str
    references: tuple[Reference, ...] = ()
    path: str = ""
    line: int = 0
    outside: tuple[OutsideRead, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Syntax to be looked at, the scope and the file it stands in, and the name of its thing."""

    name: str
    nodes: tuple[ast.AST, ...]
    scope: Scope
    path: str


class Things:
    """All things met so far, each made by one of `makers`, by kind, when first asked for."""

    def __init__(
        self, ownership: Ownership, makers: "Mapping[str, Callable[[Things, Any], Thing]]"
    ) -> None:
        self.files = Files()
        self.ownership = ownership
        self.resolver = Resolver(ownership, self.files)
        self._makers = makers
        self._values: dict[Key, object] = {}
        self._made: dict[Key, Thing] = {}

    def key(self, value: object) -> Key | None:
        """Return the key of an own function, class or module, None for all else."""
        match raw_function(value):
            case FunctionType() as function if self.owns(function.__globals__.get("__name__")):
                return self._keep("function", function_name(function), function)
            case type() as kind if self.owns(kind.__module__):
                return self._keep("class", f"{kind.__module__}.{kind.__qualname__}", kind)
            case ModuleType() as module if self.owns(module.__name__):
                return self._keep("module", module.__name__, module)
            case _:
                return None

    def thing(self, key: Key) -> Thing:
        """Return the thing of `key`."""
        if key not in self._made:
            make = self._makers.get(key[0])
            value = self._values[key]
            self._made[key] = make(self, value) if make else self._value(key[1], value)
        return self._made[key]

    def owns(self, module: object) -> bool:
        """Whether `module` is the name of a module of the project."""
        return isinstance(module, str) and self.ownership.owns(module)

    def reference(self, label: str, found: Found, line: int = 0) -> Reference:
        """Return the reference from `label` to what was found for it."""
        key = self.key(found.value)
        if key is not None:
            return Reference(label, key[1], key, line)
        if found.external:
            return Reference(label, found.external, None, line)
        name = found.name if wrapped_by(found.value) is None else f"{found.name}.<decorated>"
        return Reference(label, name, self._keep("value", name, found.value), line)

    def look(self, piece: Piece) -> tuple[tuple[Reference, ...], tuple[OutsideRead, ...]]:
        """Return what the names in `piece` lead to, by label, and how it reads the outside."""
        resolved = tuple(self._resolved(piece))
        references = (each for read, found in resolved for each in self._followed(read, found))
        return tuple(references), tuple(_outside(self.ownership, piece, resolved))

    def has_text(self, value: object) -> bool:
        """Whether changes of `value` can be noticed."""
        try:
            self._text(value, [])
        except NoText:
            return False
        return True

    def _keep(self, kind: str, name: str, value: object) -> Key:
        key = (kind, name, id(value))
        self._values[key] = value
        return key

    def _resolved(self, piece: Piece) -> Iterator[tuple[NameRead, Found]]:
        for node in piece.nodes:
            for read in names_read(node):
                found = self.resolver.resolve(piece.scope, read)
                if found is not None:
                    yield read, found

    def _followed(self, read: NameRead, found: Found) -> Iterator[Reference]:
        if found.external == f"builtins.{read.name}":
            return
        yield self.reference(read.label, found, read.line)
        if found.rest and isinstance(found.value, type) and self.key(found.value):
            yield from self._class_attribute(read, found)

    def _class_attribute(self, read: NameRead, found: Found) -> Iterator[Reference]:
        """Yield the value that code reads from a class by name: it must have a text."""
        value = inspect.getattr_static(found.value, found.rest[0], MISSING)
        if value is not MISSING and not callable(value) and not hasattr(type(value), "__get__"):
            name = f"{found.name}.{found.rest[0]}"
            yield self.reference(read.label + ".<value>", Found(value, name), read.line)

    def _value(self, name: str, value: object) -> Thing:
        references: list[Reference] = []
        try:
            text = self._text(value, references)
        except NoText as unknown:
            return Thing(name, "", problem=str(unknown))
        if _SECRET.search(name.rpartition(".")[2]):
            text = f"hidden: {fingerprint(text)}"
        return Thing(name, text, tuple(references))

    def _text(self, value: object, references: list[Reference]) -> str:
        return value_text(
            value,
            refer=lambda part: self._refer(part, references),
            is_own=lambda kind: self.owns(kind.__module__),
            roots=self.ownership.roots,
        )

    def _refer(self, value: object, references: list[Reference]) -> str | None:
        """Return the text of what has a name of its own, and note where it leads."""
        key = self.key(value)
        if key is not None:
            references.append(Reference("it", key[1], key))
            return f"<{key[1]}>"
        name = external_name(value)
        held = () if self.owns(type(value).__module__) else tuple(self._held(value))
        if not held:
            return f"<{name}>" if name else None
        around = function_name(value) if isinstance(value, FunctionType) else type_name(type(value))
        texts = [self._refer(each, references) for each in held]
        inside = ["own" if self.key(each) else text for each, text in zip(held, texts, strict=True)]
        return f"<{around}> around {', '.join(filter(None, inside))}"

    def _held(self, value: object) -> Iterator[object]:
        """Yield what another library's wrapper holds: functions, and what it chooses by."""
        if isinstance(value, _PLAIN) or not callable(value):
            return
        inner = wrapped_by(value)
        if inner is not None:
            yield inner
        registry = getattr(value, "__dict__", {}).get("registry")
        if isinstance(registry, MappingProxyType):
            yield from (each for pair in registry.items() for each in pair)
        if isinstance(value, FunctionType):
            yield from (each for each in cell_contents(value) if self.key(each))


def _outside(
    ownership: Ownership, piece: Piece, resolved: Iterable[tuple[NameRead, Found]]
) -> Iterator[OutsideRead]:
    """Yield how `piece` reads the outside, each way of doing so once, where it is first."""
    known: set[str] = set()
    lines: dict[str, int] = {}
    for read, found in resolved:
        if found.external:
            known.add(read.label)
            dotted = ".".join((found.external, *found.rest))
            what = outside_name(dotted, has_arguments=read.has_arguments)
            lines[what] = min(lines.get(what, read.line), read.line)
    for node in piece.nodes:
        for what, line in method_reads(node, known):
            lines[what] = min(lines.get(what, line), line)
    lines.pop("", None)
    for what, line in sorted(lines.items()):
        yield OutsideRead(what, ownership.place(piece.path, line), piece.name)


def wrapped_by(value: object) -> object:
    """Return what `functools.wraps` noted on a wrapper, None if it is none."""
    return getattr(value, "__dict__", {}).get("__wrapped__")


def raw_function(value: object) -> object:
    """Return the function inside what the framework's decorators made, else `value` itself."""
    while type(value).__module__ == "assetflow.model.declare" and hasattr(value, "function"):
        value = value.function
    return value


def function_name(function: FunctionType) -> str:
    """Return where a function is written; a wrapper's own `__qualname__` says otherwise."""
    return f"{function.__globals__.get('__name__')}.{function.__code__.co_qualname}"


def cell_contents(function: FunctionType) -> Iterator[object]:
    """Yield what the closure of `function` holds."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue


def external_name(value: object) -> str:
    """Return the name of what other libraries define, "" if it has none.

    >>> external_name(len), external_name(re.compile), external_name("text")
    ('builtins.len', 're.compile', '')
    """
    match value:
        case type():
            return type_name(value)
        case ModuleType():
            return value.__name__
        case FunctionType():
            return f"{value.__module__}.{value.__qualname__}"
        case BuiltinFunctionType():
            return _builtin_name(value)
        case _ if type(value).__module__.startswith("assetflow."):
            return "" if dataclasses.is_dataclass(value) else type_name(type(value))
        case _:
            return _callable_name(value)


def _builtin_name(value: BuiltinFunctionType) -> str:
    owner = value.__self__
    if isinstance(owner, type):
        return f"{type_name(owner)}.{value.__name__}"
    if owner is None or isinstance(owner, ModuleType):
        return f"{(value.__module__ or '').lstrip('_')}.{value.__name__}"
    return ""


def _callable_name(value: object) -> str:
    """Return the name under which a callable object stands in its own module, such as a ufunc."""
    if not callable(value):
        return ""
    name = getattr(value, "__name__", None)
    module = getattr(value, "__module__", None) or type(value).__module__
    loaded = sys.modules.get(module)
    if not isinstance(name, str) or getattr(loaded, name, None) is not value:
        return ""
    return f"{module}.{name}"
