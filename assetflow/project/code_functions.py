"""Functions as things: their definition without name and annotations, defaults, closure cells."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import FunctionType

from assetflow.project.ast_dump import dump
from assetflow.project.code_names import (
    FunctionNode,
    NameRead,
    attribute_chain,
    names_read,
    parameters,
    unquoted,
)
from assetflow.project.code_scopes import Found, Scope
from assetflow.project.code_things import Piece, Reference, Thing, Things, function_name

_FRAMEWORK = "assetflow"
_READ_ANNOTATIONS = frozenset({"beartype", "pydantic", "typeguard"})


def function_thing(things: Things, function: FunctionType) -> Thing:
    """Return a function as text; what hangs on the object itself comes as references."""
    scope, code, name = function_scope(things, function), function.__code__, function_name(function)
    thing = Thing(name, "", path=code.co_filename, line=code.co_firstlineno)
    nodes = scope.file.functions_of(code) if scope.file else ()
    if not nodes:
        return replace(thing, problem="a function whose source cannot be found")
    bare = tuple(part for node in nodes for part in _bare(things, node, scope))
    piece = Piece(name, bare, scope, code.co_filename)
    read, outside = things.look(piece)
    references = (
        *read,
        *_configs(things, nodes, scope),
        *attached(things, function, cells={"__class__"}),
    )
    text = " ".join(map(dump, bare))
    return replace(thing, text=text, references=references, outside=outside)


def function_scope(things: Things, function: FunctionType) -> Scope:
    """Return what the code of `function` sees."""
    code = function.__code__
    return Scope(
        function.__globals__,
        things.files.parsed(code.co_filename, function.__globals__),
        dict(zip(code.co_freevars, function.__closure__ or (), strict=True)),
        function_name(function).rpartition(".<locals>.")[0],
    )


def attached(
    things: Things, function: FunctionType, *, cells: Iterable[str]
) -> Iterator[Reference]:
    """Yield the values of the defaults of a function object, and what is in the named `cells`."""
    line = function.__code__.co_firstlineno
    for parameter, value in _defaults(function):
        label = f"<default {parameter}>"
        yield things.reference(label, Found(value, f"{function_name(function)}.{label}"), line)
    scope = function_scope(things, function)
    for cell in sorted(set(cells) & set(scope.cells)):
        found = things.resolver.resolve(scope, NameRead(cell, (), line))
        if found is not None:
            yield things.reference(cell, found, line)


def _defaults(function: FunctionType) -> Iterator[tuple[str, object]]:
    code, values = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    yield from zip(names[len(names) - len(values) :], values, strict=True)
    yield from sorted((function.__kwdefaults__ or {}).items())


def _bare(things: Things, node: FunctionNode, scope: Scope) -> list[ast.AST]:
    """Return what counts of a definition.

    Not its name, not the defaults (their values do), and of the decorators not those of the
    framework. Where a decorator is known to act on annotations, these follow by themselves.
    """
    if isinstance(node, ast.Lambda):
        return [ast.Lambda(_without_defaults(node.args), node.body)]
    named = [(each, _decorator(things, each, scope)) for each in node.decorator_list]
    kept = [each for each, library in named if library != _FRAMEWORK]
    bare: ast.AST = type(node)(
        name="", args=_without_defaults(node.args), body=node.body, decorator_list=kept
    )
    if not any(library in _READ_ANNOTATIONS for _, library in named):
        return [bare]
    annotations = [*(each.annotation for each in parameters(node)), node.returns]
    return [bare, *(each for each in annotations if each)]


def _without_defaults(node: ast.arguments) -> ast.arguments:
    return ast.arguments(
        node.posonlyargs, node.args, node.vararg, node.kwonlyargs, [], node.kwarg, []
    )


def _decorator(things: Things, node: ast.expr, scope: Scope) -> str:
    """Return which library a decorator is of, "" if it is the project's own or unknown."""
    called = node.func if isinstance(node, ast.Call) else node
    name, *attributes = attribute_chain(called) or ("",)
    found = things.resolver.resolve(scope, NameRead(name, tuple(attributes), node.lineno))
    if found is None:
        return ""
    partial_of = getattr(found.value, "func", None)
    return (found.external or str(getattr(partial_of, "__module__", ""))).partition(".")[0]


def _configs(things: Things, nodes: Iterable[FunctionNode], scope: Scope) -> Iterator[Reference]:
    """Yield the project's Config classes that parameters are annotated with.

    Annotations do not count, but instances of these classes come in from outside, and
    their methods are code that the function reaches.
    """
    for node in nodes:
        for parameter in parameters(node):
            annotation = parameter.annotation
            for read in names_read(unquoted(annotation)) if annotation else ():
                found = things.resolver.resolve(scope, read)
                if found is not None and _is_config(found.value) and things.key(found.value):
                    yield things.reference(f"<config {parameter.arg}>", found, read.line)


def _is_config(value: object) -> bool:
    return isinstance(value, type) and any(
        kind.__module__.partition(".")[0] == _FRAMEWORK for kind in value.__mro__
    )
