"""Finds the syntax of functions, classes and modules that are loaded, each file parsed once."""

import ast
import linecache
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import TypeVar

from assetflow.project.code_names import FunctionNode, Imported, imports_of

K = TypeVar("K")
V = TypeVar("V")

_BLOCKS = ("body", "handlers", "cases", "orelse", "finalbody")

Place = tuple[int, str]
"""First line (of the first decorator, if any) and name, as a code object has them."""

Spot = tuple[int, int]
"""A line, and a column in bytes of UTF-8."""


@dataclass(frozen=True)
class ParsedFile:
    """One file: its syntax, where what is defined in it, and what its names were imported as.

    `imports` are those of the module itself; `inner_imports` stand inside functions.
    """

    path: str
    tree: ast.Module
    functions: Mapping[Place, tuple[FunctionNode, ...]]
    classes: Mapping[str, tuple[ast.ClassDef, ...]]
    imports: Mapping[str, tuple[Imported, ...]]
    inner_imports: Mapping[str, tuple[Imported, ...]]

    def functions_of(self, code: CodeType) -> tuple[FunctionNode, ...]:
        """Return the definition of `code`; several where nothing tells them apart, or none."""
        is_lambda = code.co_name == "<lambda>"
        functions = self._lambdas if is_lambda else self.functions
        found = functions.get((code.co_firstlineno, code.co_name), ())
        return found if len(found) <= 1 else _narrowed(found, code)

    @cached_property
    def _lambdas(self) -> Mapping[Place, tuple[FunctionNode, ...]]:
        """Where which lambda is; looked for only in files of which one is reached."""
        found: dict[Place, list[FunctionNode]] = defaultdict(list)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Lambda):
                found[node.lineno, "<lambda>"].append(node)
        return _frozen(found)


class Files:
    """The files that have been parsed so far."""

    def __init__(self) -> None:
        self._parsed: dict[str, ParsedFile | None] = {}

    def parsed(self, path: str, namespace: Mapping[str, object]) -> ParsedFile | None:
        """Return the file at `path`, None if it has no source that can be parsed.

        `namespace` is that of its module, whose loader may know the source (a zip archive).
        """
        if path not in self._parsed:
            self._parsed[path] = _parse(path, namespace)
        return self._parsed[path]


def _parse(path: str, namespace: Mapping[str, object]) -> ParsedFile | None:
    linecache.checkcache(path)
    text = "".join(linecache.getlines(path, dict(namespace)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # They were shown when the module was imported.
            tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    return _indexed(path, tree) if text else None


def _indexed(path: str, tree: ast.Module) -> ParsedFile:
    functions: dict[Place, list[FunctionNode]] = defaultdict(list)
    classes: dict[str, list[ast.ClassDef]] = defaultdict(list)
    imports: dict[str, list[Imported]] = defaultdict(list)
    inner_imports: dict[str, list[Imported]] = defaultdict(list)
    for node, prefix in _walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                functions[first_line(node), node.name].append(node)
            case ast.ClassDef():
                classes[prefix + node.name].append(node)
            case ast.Import() | ast.ImportFrom():
                found = inner_imports if prefix else imports
                for name, imported in imports_of(node):
                    found[name].append(imported)
            case _:
                pass
    return ParsedFile(
        path, tree, _frozen(functions), _frozen(classes), _frozen(imports), _frozen(inner_imports)
    )


def _frozen(lists: Mapping[K, list[V]]) -> Mapping[K, tuple[V, ...]]:
    return {key: tuple(values) for key, values in lists.items()}


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield each statement of `tree` in order, with the qualified name it stands under."""
    pending: list[tuple[ast.AST, str]] = [(tree, "")]
    while pending:
        node, prefix = pending.pop()
        yield node, prefix
        inside = _prefix_inside(node, prefix)
        blocks = (getattr(node, name, ()) for name in _BLOCKS)
        pending.extend([(each, inside) for block in blocks for each in block][::-1])


def _prefix_inside(node: ast.AST, prefix: str) -> str:
    match node:
        case ast.ClassDef(name=name):
            return f"{prefix}{name}."
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return f"{prefix}{name}.<locals>."
        case _:
            return prefix


def first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    """Return the line on which the definition starts, its decorators included."""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def _narrowed(nodes: tuple[FunctionNode, ...], code: CodeType) -> tuple[FunctionNode, ...]:
    """Return the smallest of `nodes` whose body holds every position of `code`.

    All of them are returned where Python runs without positions: too much then counts.
    """
    spots = [
        ((line, column), (end_line, end_column))
        for line, end_line, column, end_column in code.co_positions()
        if line is not None
        and end_line is not None
        and column is not None
        and end_column is not None
        and (line, column) != (end_line, end_column)
    ]
    holding = [
        (start, end, node)
        for node in nodes
        for start, end in [_body_span(node)]
        if spots and all(start <= first and last <= end for first, last in spots)
    ]
    if not holding:
        return nodes
    start, end, _ = max(holding, key=lambda each: (each[0], _reversed(each[1])))
    return tuple(node for first, last, node in holding if (first, last) == (start, end))


def _reversed(spot: Spot) -> Spot:
    return (-spot[0], -spot[1])


def _body_span(node: FunctionNode) -> tuple[Spot, Spot]:
    first, last = (
        (node.body, node.body) if isinstance(node, ast.Lambda) else (node.body[0], node.body[-1])
    )
    assert last.end_lineno is not None
    assert last.end_col_offset is not None
    return (first.lineno, first.col_offset), (last.end_lineno, last.end_col_offset)
