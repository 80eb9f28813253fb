"""Python syntax as text that is equal on every supported Python.

What cannot change a result is left out: docstrings and other bare strings, `pass`, the
annotations and type parameters of functions, positions, quotes, and load/store contexts.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

_LEFT_OUT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_LONGEST_DECIMAL = 10**100
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def dump(node: ast.AST) -> str:
    """Return `node` as one line of text; equal code gives equal text, whatever the Python.

    >>> dump(ast.parse("x = 'a'  # why", mode="exec").body[0])
    "Assign(targets=[Name(id='x')],value=Constant('a'))"

    A stack instead of recursion, so that an expression of a thousand terms can be dumped.
    """
    pieces: list[str] = []
    pending: list[tuple[object, bool]] = [(node, False)]
    while pending:
        item, in_function = pending.pop()
        match item:
            case str():
                pieces.append(item)
            case ast.AST():
                pending.extend(reversed(list(_opened(item, in_function=in_function))))
            case _:
                pending.extend(reversed(list(_listed(item, in_function=in_function))))
    return "".join(pieces)


def literal(value: object) -> str:
    r"""Return the text of a plain constant, in ASCII: what is printable differs by Python.

    >>> print(literal("é"))
    '\xe9'
    """
    if isinstance(value, int) and abs(value) > _LONGEST_DECIMAL:
        return hex(value)
    return ascii(value)


def _opened(node: ast.AST, *, in_function: bool) -> Iterator[tuple[object, bool]]:
    """Yield the texts and the parts of `node`, in order, each with whether a function holds it."""
    if isinstance(node, ast.Constant):
        yield f"Constant({literal(node.value)})", in_function
        return
    if isinstance(node, ast.Name):
        yield f"Name(id={literal(node.id)})", in_function
        return
    yield f"{type(node).__name__}(", in_function
    separator = ""
    for name, value in _fields(node):
        inside = _is_inside(node, name, in_function=in_function)
        content = _content(value, in_function=inside)
        if content is None:
            continue
        yield f"{separator}{name}=", inside
        yield content, inside
        separator = ","
    yield ")", in_function


def _is_inside(node: ast.AST, name: str, *, in_function: bool) -> bool:
    if name == "body" and isinstance(node, _FUNCTIONS):
        return True
    return in_function and not isinstance(node, ast.ClassDef)


def _content(value: object, *, in_function: bool) -> object:
    """Return what is written for the value of a field, None for nothing."""
    if value is None or isinstance(value, ast.AST):
        return value
    if isinstance(value, list):
        if value and isinstance(value[0], ast.stmt):
            return _statements(value, in_function=in_function) or None
        return value or None
    return literal(value)


def _listed(items: object, *, in_function: bool) -> Iterator[tuple[object, bool]]:
    assert isinstance(items, list)
    yield "[", in_function
    for position, item in enumerate(items):
        if position:
            yield ",", in_function
        yield _element(item), in_function
    yield "]", in_function


def _element(item: object) -> object:
    """Return what is written for one element of a list; a missing key or default is `~`."""
    if item is None:
        return "~"
    return item if isinstance(item, ast.AST) else literal(item)


def _fields(node: ast.AST) -> Iterable[tuple[str, object]]:
    """Return the fields of `node` that count, in the order of the grammar."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            names: Sequence[str] = ("name", "args", "body", "decorator_list")
        case ast.arg():
            names = ("arg",)
        case ast.JoinedStr():
            return [("values", _joined(node.values))]
        case _:
            names = [name for name in node._fields if name not in _LEFT_OUT]
    return [(name, getattr(node, name, None)) for name in names]


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """Return the parts of an f-string with neighbouring texts as one, and no empty ones."""
    joined: list[ast.expr] = []
    for is_text, group in groupby(values, lambda value: isinstance(value, ast.Constant)):
        parts = list(group)
        if is_text:
            text = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
            parts = [ast.Constant(text)] if text else []
        joined.extend(parts)
    return joined


def _statements(items: list[object], *, in_function: bool) -> list[object]:
    """Return `items` without the statements that do nothing."""
    kept = (_statement(item, in_function=in_function) for item in items)
    return [item for item, keep in kept if keep]


def _statement(item: object, *, in_function: bool) -> tuple[object, bool]:
    """Return what stands for `item`, and whether anything does."""
    match item:
        case ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
            return item, False
        case ast.AnnAssign(target=target, value=value) if in_function:
            assigned = ast.Assign(targets=[target], value=value) if value else None
            return assigned, assigned is not None
        case _:
            return item, True
