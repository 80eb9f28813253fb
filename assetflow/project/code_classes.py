"""Classes, and modules that are handed around as values, as things."""

import abc
import ast
import enum
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property, partialmethod, singledispatchmethod
from types import FunctionType, ModuleType

from assetflow.project.ast_dump import dump
from assetflow.project.code_functions import attached, function_scope
from assetflow.project.code_scopes import Found, Scope
from assetflow.project.code_sources import ParsedFile, first_line
from assetflow.project.code_things import Piece, Reference, Thing, Things, function_name
from assetflow.project.code_values import type_name

_METHODS = (FunctionType, staticmethod, classmethod, property, cached_property, partialmethod)
_MADE_WHEN_RUN = ("_fields", "_field_defaults", "__annotations__")


def class_thing(things: Things, kind: type) -> Thing:
    """Return a class as text, with what its whole body reaches."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    module = sys.modules.get(kind.__module__, ModuleType(kind.__module__))
    file = things.resolver.file_of(kind.__module__)
    methods = tuple(each for each in _methods(kind) if _is_written(things, each))
    nodes = _class_nodes(kind, file, methods)
    cells = {k: v for each in methods for k, v in function_scope(things, each).cells.items()}
    scope = Scope(vars(module), file, cells, name.rpartition(".<locals>.")[0])
    piece = Piece(name, nodes, scope, file.path if file else "")
    read, outside = things.look(piece)
    references = (
        *_parents(things, kind),
        *read,
        *_held(things, kind, nodes),
        *_functions(things, name, methods, nodes),
    )
    text = " ".join(dump(_without_name(node)) for node in nodes) or "made when it runs"
    line = first_line(nodes[0]) if nodes else 1
    return Thing(name, text, references, piece.path, line, outside)


def module_thing(things: Things, module: ModuleType) -> Thing:
    """Return a whole module as text, with all that its globals hold and that has a text."""
    file = things.resolver.file_of(module.__name__)
    if file is None:
        return Thing(module.__name__, "a module without source")
    piece = Piece(module.__name__, (file.tree,), Scope(vars(module), file), file.path)
    found = (
        (name, things.resolver.origin(module.__name__, name, value))
        for name, value in sorted(vars(module).items())
        if not name.startswith("__")
    )
    references = tuple(
        things.reference(name, each)
        for name, each in found
        if each.external or things.has_text(each.value)
    )
    _, outside = things.look(piece)
    return Thing(module.__name__, dump(file.tree), references, file.path, 1, outside)


def _class_nodes(
    kind: type, file: ParsedFile | None, methods: tuple[FunctionType, ...]
) -> tuple[ast.ClassDef, ...]:
    """Return the definition of a class; all of that name, where several might be it."""
    nodes = file.classes.get(kind.__qualname__, ()) if file else ()
    lines = [each.__code__.co_firstlineno for each in methods]
    exact = [node for node in nodes if lines and all(_spans(node, line) for line in lines)]
    return tuple(exact[-1:]) or nodes


def _spans(node: ast.ClassDef, line: int) -> bool:
    return first_line(node) <= line <= (node.end_lineno or node.lineno)


def _without_name(node: ast.ClassDef) -> ast.ClassDef:
    fields = {name: getattr(node, name) for name in node._fields}
    return ast.ClassDef(**{**fields, "name": ""})


def _parents(things: Things, kind: type) -> Iterator[Reference]:
    for position, base in enumerate(kind.__bases__):
        yield things.reference(f"<base {position}>", _found(base))
    if type(kind) is not type:
        yield things.reference("<metaclass>", _found(type(kind)))


def _found(kind: type) -> Found:
    return Found(kind, external=type_name(kind))


def _held(things: Things, kind: type, nodes: tuple[ast.ClassDef, ...]) -> Iterator[Reference]:
    """Yield the values that a class holds. One without text is known by the code that makes it."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    for attribute, value in _attributes(things, kind, nodes):
        if things.has_text(value) and not isinstance(value, _METHODS):
            label = f"<attribute {attribute}>"
            yield things.reference(label, Found(value, f"{name}.{attribute}"))


def _attributes(
    things: Things, kind: type, nodes: tuple[ast.ClassDef, ...]
) -> list[tuple[str, object]]:
    if isinstance(kind, enum.EnumMeta):
        members: Mapping[str, enum.Enum] = kind.__members__
        return [("members", [(name, member.value) for name, member in members.items()])]
    assigned = {
        each.id
        for node in nodes
        for statement in node.body
        for each in ast.walk(statement)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }
    meta = type(kind)
    is_plain = meta in (type, abc.ABCMeta) or things.owns(meta.__module__)
    wanted = assigned if nodes else assigned.union(_MADE_WHEN_RUN)
    return [
        (name, list(value.dispatcher.registry))
        if isinstance(value, singledispatchmethod)
        else (name, value)
        for name, value in sorted(vars(kind).items())
        if name in wanted or (is_plain and not name.startswith("_"))
    ]


def _methods(kind: type) -> Iterator[FunctionType]:
    """Yield the functions in a class, those inside properties and the like included."""
    for value in vars(kind).values():
        yield from _inside(value)


def _is_written(things: Things, function: FunctionType) -> bool:
    """Whether a function is the project's own, and not generated as those of dataclasses are."""
    return bool(things.key(function)) and not function.__code__.co_filename.startswith("<")


def _inside(value: object) -> Iterator[FunctionType]:
    match value:
        case FunctionType():
            yield value
        case staticmethod() | classmethod():
            yield from _inside(value.__func__)
        case property():
            parts: tuple[object, ...] = (value.fget, value.fset, value.fdel)
            yield from (function for each in parts for function in _inside(each))
        case cached_property() | partialmethod() | singledispatchmethod():
            yield from _inside(value.func)
        case _:
            pass


def _functions(
    things: Things,
    name: str,
    methods: tuple[FunctionType, ...],
    nodes: tuple[ast.ClassDef, ...],
) -> Iterator[Reference]:
    """Yield what hangs on the methods, and functions that were put on the class from outside."""
    for method in methods:
        line = method.__code__.co_firstlineno
        if function_name(method).startswith(f"{name}.") and any(_spans(n, line) for n in nodes):
            yield from attached(things, method, cells=method.__code__.co_freevars)
        else:
            yield things.reference(f"<attribute {method.__name__}>", Found(method))
