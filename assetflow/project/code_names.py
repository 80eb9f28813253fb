"""Which names a piece of Python reads from outside itself: globals, closure cells, imports.

The scopes are worked out from the syntax alone, and rather too much than too little counts
as read: a name that a class body binds may still be the global of that name.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Imported(NamedTuple):
    """What an import binds: a whole module (`name` is ""), or one name of it.

    `level` counts the dots of a relative import; `loaded` is the module that the statement
    loads, which is deeper than `module` in `import a.b` (it binds `a`).
    """

    module: str
    name: str = ""
    level: int = 0
    loaded: str = ""


class NameRead(NamedTuple):
    """A name read from outside, with the attributes that follow it, where it is first read.

    `imported` is set for a name that an import inside the code binds. `has_arguments` says
    that each time it is read it is called with arguments, as `Random(42)` is.
    """

    name: str
    attributes: tuple[str, ...]
    line: int
    imported: Imported | None = None
    has_arguments: bool = False

    @property
    def label(self) -> str:
        """Return the name as the code writes it, such as `helpers.clean`."""
        return ".".join((self.name, *self.attributes))


@dataclass(slots=True)
class _Scope:
    kind: str
    parent: "_Scope | None" = None
    bound: set[str] = field(default_factory=set)
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)
    imports: dict[str, list[Imported]] = field(default_factory=dict)


_Seen = tuple[NameRead, _Scope]


def names_read(node: ast.AST) -> tuple[NameRead, ...]:
    """Return what `node` reads from outside itself, sorted, each name once."""
    merged: dict[tuple[str, Imported | None], NameRead] = {}
    for read in _outer_reads(node):
        before = merged.setdefault((read.label, read.imported), read)
        merged[read.label, read.imported] = before._replace(
            line=min(before.line, read.line),
            has_arguments=before.has_arguments and read.has_arguments,
        )
    return tuple(merged[key] for key in sorted(merged, key=str))


def imports_of(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Imported]]:
    """Yield each name that an import statement binds, with what it stands for."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            imported = Imported(node.module or "", alias.name, node.level)
            yield alias.asname or alias.name, imported
        elif alias.asname:
            yield alias.asname, Imported(alias.name, loaded=alias.name)
        else:
            top = alias.name.partition(".")[0]
            yield top, Imported(top, loaded=alias.name)


def attribute_chain(node: ast.expr) -> tuple[str, ...]:
    """Return `a.b.c` as its words, or nothing if it does not start with a name."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    return (node.id, *reversed(words)) if isinstance(node, ast.Name) else ()


def _outer_reads(node: ast.AST) -> Iterator[NameRead]:
    reader = _Reader()
    reader.read(node)
    for read, scope in reader.seen:
        home = _home(read.name, scope)
        if home is None:
            yield read
        else:
            yield from (read._replace(imported=each) for each in home.imports.get(read.name, ()))


def _home(name: str, start: _Scope) -> _Scope | None:
    """Return the scope inside the code that binds `name`, None if it comes from outside."""
    scope: _Scope | None = start
    while scope is not None:
        if name in scope.global_names:
            return None
        if scope.kind != "class" and name in scope.bound - scope.nonlocal_names:
            return scope
        if scope is start and name in scope.imports:
            return scope
        scope = scope.parent
    return None


class _Reader:
    """Walks code once, with a stack instead of recursion, and notes reads and bindings."""

    def __init__(self) -> None:
        self.seen: list[_Seen] = []
        self._pending: list[tuple[ast.AST, _Scope]] = []

    def read(self, node: ast.AST) -> None:
        """Note all that `node` reads; what it binds itself is found in its scopes."""
        self._pending.append((node, _Scope("class")))
        while self._pending:
            self._visit(*self._pending.pop())

    def _visit(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.Name() | ast.Attribute():
                self._chain(node, scope, has_arguments=False)
            case ast.Call():
                self._chain(node.func, scope, has_arguments=bool(node.args or node.keywords))
                self._later([*node.args, *node.keywords], scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                self._function(node, scope)
            case ast.ClassDef():
                self._class(node, scope)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node, scope)
            case _:
                self._statement(node, scope)

    def _statement(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node, scope)
            case ast.Global():
                scope.global_names.update(node.names)
                self._note(node.names, node.lineno, scope)
            case ast.Nonlocal():
                scope.nonlocal_names.update(node.names)
                self._note(node.names, node.lineno, scope)
            case ast.AnnAssign():
                self._annotated(node, scope)
            case _:
                self._bind(node, scope)
                self._later(ast.iter_child_nodes(node), scope)

    def _later(self, nodes: Iterable[ast.AST | None], scope: _Scope) -> None:
        self._pending.extend((node, scope) for node in nodes if node is not None)

    def _note(self, names: Iterable[str], line: int, scope: _Scope) -> None:
        self.seen.extend((NameRead(name, (), line), scope) for name in names)

    def _chain(self, node: ast.expr, scope: _Scope, *, has_arguments: bool) -> None:
        words = attribute_chain(node)
        if not words:
            inner = node.value if isinstance(node, ast.Attribute) else node
            self._later([inner], scope)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            scope.bound.add(node.id)
        else:
            name, *attributes = words
            read = NameRead(name, tuple(attributes), node.lineno, has_arguments=has_arguments)
            self.seen.append((read, scope))

    def _import(self, node: ast.Import | ast.ImportFrom, scope: _Scope) -> None:
        for name, imported in imports_of(node):
            scope.bound.add(name)
            scope.imports.setdefault(name, []).append(imported)

    def _bind(self, node: ast.AST, scope: _Scope) -> None:
        """Note what `node` binds by a bare word instead of a Name."""
        match node:
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                scope.bound.add(name)
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                scope.bound.add(name)
            case ast.NamedExpr(target=ast.Name(id=name)):
                _holder(scope).bound.add(name)
            case _:
                pass

    def _annotated(self, node: ast.AnnAssign, scope: _Scope) -> None:
        self._later([node.target, node.value], scope)
        if scope.kind == "class":
            self._later([unquoted(node.annotation)], scope)

    def _function(self, node: FunctionNode, scope: _Scope) -> None:
        self._later([*node.args.defaults, *node.args.kw_defaults], scope)
        inner = _Scope("function", scope, bound={each.arg for each in parameters(node)})
        if isinstance(node, ast.Lambda):
            self._later([node.body], inner)
            return
        scope.bound.add(node.name)
        inner.bound.update(_type_parameters(node))
        self._later(node.decorator_list, scope)
        self._later(node.body, inner)

    def _class(self, node: ast.ClassDef, scope: _Scope) -> None:
        scope.bound.add(node.name)
        self._later(node.decorator_list, scope)
        around = _Scope("function", scope, bound=set(_type_parameters(node)))
        self._later([*node.bases, *node.keywords], around)
        self._later(getattr(node, "type_params", ()), around)
        self._later(node.body, _Scope("class", around))

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, scope: _Scope
    ) -> None:
        inner = _Scope("comprehension", scope)
        first, *others = node.generators
        self._later([first.iter], scope)
        self._later([first.target, *first.ifs, *others], inner)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._later(parts, inner)


def parameters(node: FunctionNode) -> list[ast.arg]:
    """Return the parameters of a function, in order."""
    taken = node.args
    named = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs]
    return [*named, *(each for each in (taken.vararg, taken.kwarg) if each)]


def _type_parameters(node: ast.AST) -> list[str]:
    return [each.name for each in getattr(node, "type_params", ())]


def _holder(scope: _Scope) -> _Scope:
    """Return the scope in which `:=` binds: the one around the comprehensions."""
    while scope.kind == "comprehension" and scope.parent is not None:
        scope = scope.parent
    return scope


def unquoted(annotation: ast.expr) -> ast.expr:
    """Return an annotation together with the expressions that it holds in quotes."""
    return ast.Tuple([annotation, *_quoted(annotation)])


def _quoted(annotation: ast.expr) -> Iterator[ast.expr]:
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                yield ast.parse(node.value.strip(), mode="eval").body
            except (SyntaxError, ValueError):
                continue
