"""Values as text that is equal for equal values, in every process and on every Python.

What has a name (functions, classes, modules) is left to the caller, who gives its reference.
What holds a connection, a lock, a file or other hidden state has no text.
"""

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import ipaddress
import logging
import operator
import pathlib
import re
import string
import struct
import types
import typing
import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from assetflow.model.fingerprint import fingerprint
from assetflow.project.ast_dump import literal
from assetflow.project.code_libraries import Write, Writer, library_writer

LONGEST_TEXT = 20_000

Refer = Callable[[object], str | None]


class NoText(Exception):
    """Raised for a value whose content cannot be known; `value` is the innermost such."""

    def __init__(self, value: object) -> None:
        super().__init__(type_name(type(value)))
        self.value = value


def type_name(kind: type) -> str:
    """Return the qualified name of a type, without private modules: these move between releases.

    >>> type_name(pathlib.Path)
    'pathlib.Path'
    """
    words = [word for word in kind.__module__.split(".")[1:] if not word.startswith("_")]
    top = kind.__module__.partition(".")[0].lstrip("_")
    return ".".join(word for word in (top, *words, kind.__qualname__) if word)


def value_text(
    value: object, *, refer: Refer, is_own: Callable[[type], bool], roots: Sequence[pathlib.Path]
) -> str:
    """Return the text of `value`; raise NoText where there is none.

    `refer` gives the text of what has a name, else None. Plain instances of classes that
    are `is_own` are known by class and state. Paths under one of `roots`, also as strings, are
    written relative to it, so that every copy of a project has the same versions.
    """
    text = _Text(refer, is_own, roots).write(value)
    return text if len(text) <= LONGEST_TEXT else f"a long value: {fingerprint(text)}"


class _Text:
    """Writes one value; `above` are the containers being written, to end circles."""

    def __init__(
        self, refer: Refer, is_own: Callable[[type], bool], roots: Sequence[pathlib.Path]
    ) -> None:
        self.refer = refer
        self.is_own = is_own
        self.roots = tuple(map(str, roots))
        self.above: list[int] = []

    def write(self, value: object) -> str:
        if isinstance(value, str) and value.startswith(self.roots):
            return self._under_root(value)
        atom = _ATOMS.get(type(value))
        if atom is not None:
            return atom(value)
        reference = self.refer(value)
        if reference is not None:
            return reference
        if id(value) in self.above:
            return f"the value {len(self.above) - self.above.index(id(value))} above"
        self.above.append(id(value))
        try:
            return self._open(value)
        finally:
            self.above.pop()

    def _open(self, value: object) -> str:
        if isinstance(value, pathlib.PurePath):
            return self._path(value)
        writer = _WRITERS.get(type(value)) or library_writer(type(value))
        if writer is not None:
            return writer(value, self.write)
        if isinstance(value, enum.Enum):
            return f"{self.write(type(value))}.{value.name}({self.write(value.value)})"
        if _is_typing(value):
            return _typing(value, self.write)
        return self._instance(value)

    def _path(self, value: pathlib.PurePath) -> str:
        kind = "Path" if isinstance(value, pathlib.Path) else type_name(type(value))
        return f"{kind}({self.write(value.as_posix())})"

    def _under_root(self, value: str) -> str:
        """Return the text of a string that starts as the path of the project does."""
        root = next(root for root in self.roots if value.startswith(root))
        rest = value.removeprefix(root)
        return f"project{literal(rest)}" if rest[:1] in ("", "/", "\\") else literal(value)

    def _instance(self, value: object) -> str:
        """Return class and state of an instance all of whose state can be seen."""
        kind = type(value)
        parents = [each for each in kind.__mro__ if not self.is_own(each)]
        base = next((each for each in parents if each in _WRITERS or each in _ATOMS), None)
        if not (base or self._is_open(kind, parents)):
            raise NoText(value)
        content = _base_content(base, value, self.write) if base else ""
        return f"{self.write(kind)}({content}{_state(value, self.write)})"

    def _is_open(self, kind: type, parents: list[type]) -> bool:
        if dataclasses.is_dataclass(kind) or hasattr(kind, "__attrs_attrs__"):
            return True
        if not (self.is_own(kind) or _top(kind) == "assetflow"):
            return False
        return all(each is object or _top(each) in _HARMLESS for each in parents)


_HARMLESS = frozenset({"abc", "assetflow", "collections", "enum", "typing", "typing_extensions"})


def _top(kind: type) -> str:
    return kind.__module__.partition(".")[0].lstrip("_")


def _base_content(base: type, value: object, write: Write) -> str:
    """Return the text of what `value` holds as an instance of a built-in type."""
    plain = getattr(base, "__getnewargs__", None)
    if plain is not None:
        return write(plain(value))
    return _ATOMS[base](value) if base in _ATOMS else _WRITERS[base](value, write)


def _state(value: object, write: Write) -> str:
    """Return the attributes of `value`, by name, those in slots included."""
    fields = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        for name in _slots(kind):
            if hasattr(value, name):
                fields[name] = getattr(value, name)
    return "".join(f"; {name}={write(fields[name])}" for name in sorted(fields))


def _slots(kind: type) -> Iterator[str]:
    slots = kind.__dict__.get("__slots__", ())
    for name in (slots,) if isinstance(slots, str) else tuple(slots):
        if name.startswith("__") and not name.endswith("__"):
            yield f"_{kind.__name__.lstrip('_')}{name}"
        elif name not in ("__dict__", "__weakref__"):
            yield name


def _sequence(left: str, right: str) -> Writer:
    return lambda value, write: f"{left}{', '.join(map(write, value))}{right}"


def _unordered(value: Iterable[object], write: Write) -> str:
    return f"{{{', '.join(sorted(map(write, value)))}}}"


def _mapping(value: Mapping[object, object], write: Write) -> str:
    return f"{{{', '.join(f'{write(key)}: {write(each)}' for key, each in value.items())}}}"


def _named(name: str, parts: Callable[[Any], object]) -> Writer:
    """Return a writer of `name` with `parts` of the value behind it."""
    return lambda value, write: f"{name}{write(parts(value))}"


def _moment(value: dt.datetime | dt.time, write: Write) -> str:
    naive = value.replace(tzinfo=None)
    zone = "" if value.tzinfo is None else f" {write(value.tzinfo)}"
    return f"{type_name(type(value))}({naive.isoformat()}{' again' if value.fold else ''}{zone})"


def _reduced(value: object, write: Write) -> str:
    """Return what pickle would call to make `value` again."""
    kind, *arguments = tuple(value.__reduce__())
    return f"{write(kind)}{write(arguments)}"


def _bound(value: types.BuiltinMethodType, write: Write) -> str:
    return f"{write(value.__self__)}.{value.__name__}"


def _is_typing(value: object) -> bool:
    kind = type(value)
    return kind.__module__ in ("typing", "typing_extensions") or kind in (
        types.GenericAlias,
        types.UnionType,
    )


def _typing(value: object, write: Write) -> str:
    arguments = typing.get_args(value)
    if not arguments:
        return repr(value)
    origin = typing.get_origin(value)
    name = write(origin) if isinstance(origin, type) else str(origin)
    return f"{name}[{', '.join(map(write, arguments))}]"


_ATOMS: Mapping[type, Callable[[Any], str]] = {
    **dict.fromkeys((type(None), bool, int, float, complex, str, bytes), literal),
    **dict.fromkeys((type(...), type(NotImplemented), decimal.Decimal, uuid.UUID), repr),
    dt.date: lambda value: f"datetime.date({value.isoformat()})",
}

_WRITERS: Mapping[type, Writer] = {
    tuple: _sequence("(", ",)"),
    list: _sequence("[", "]"),
    dict: _mapping,
    set: _unordered,
    frozenset: lambda value, write: f"frozen{_unordered(value, write)}",
    collections.OrderedDict: lambda value, write: f"ordered{_mapping(value, write)}",
    collections.Counter: lambda value, write: f"Counter{_mapping(value, write)}",
    collections.defaultdict: lambda value, write: (
        f"defaultdict({write(value.default_factory)}, {_mapping(value, write)})"
    ),
    collections.deque: _named("deque", lambda value: (list(value), value.maxlen)),
    collections.ChainMap: _named("ChainMap", lambda value: value.maps),
    types.MappingProxyType: _named("proxy", dict),
    types.SimpleNamespace: _named("namespace", vars),
    range: lambda value, _: repr(value),
    slice: _named("slice", lambda value: (value.start, value.stop, value.step)),
    bytearray: _named("bytearray", bytes),
    array.array: _named("array", lambda value: (value.typecode, value.tolist())),
    fractions.Fraction: lambda value, _: repr(value),
    dt.datetime: _moment,
    dt.time: _moment,
    dt.timedelta: _named(
        "timedelta", lambda value: (value.days, value.seconds, value.microseconds)
    ),
    dt.timezone: _named("timezone", lambda value: (value.utcoffset(None), value.tzname(None))),
    zoneinfo.ZoneInfo: _named("ZoneInfo", lambda value: value.key or NotImplemented),
    re.Pattern: _named("re.compile", lambda value: (value.pattern, value.flags)),
    string.Template: _named("Template", lambda value: value.template),
    struct.Struct: _named("Struct", lambda value: value.format),
    functools.partial: _named("partial", lambda value: (value.func, value.args, value.keywords)),
    types.MethodType: _named("method", lambda value: (value.__func__, value.__self__)),
    types.BuiltinMethodType: _bound,
    types.MethodWrapperType: _bound,
    operator.itemgetter: _reduced,
    operator.attrgetter: _reduced,
    operator.methodcaller: _reduced,
    property: _named("property", lambda value: (value.fget, value.fset, value.fdel)),
    staticmethod: _named("staticmethod", lambda value: value.__func__),
    classmethod: _named("classmethod", lambda value: value.__func__),
    logging.Logger: _named("logger", lambda value: value.name),
    logging.RootLogger: _named("logger", lambda value: value.name),
    ipaddress.IPv4Address: lambda value, _: repr(value),
    ipaddress.IPv6Address: lambda value, _: repr(value),
    ipaddress.IPv4Network: lambda value, _: repr(value),
    ipaddress.IPv6Network: lambda value, _: repr(value),
}
