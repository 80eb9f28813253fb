"""Records as lines of JSON, and back. The first key of a line says what it records."""

import json
from collections.abc import Callable, Hashable
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import NoneType
from typing import Any, Literal, NewType, TypeVar, cast, get_args, get_origin, get_type_hints

from assetflow.metadata.records import Record

T = TypeVar("T")
Reader = Callable[[Any], Any]

KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Record)}
_PREFIX = b'{"record":"'


def encode(record: Record) -> bytes:
    """Return the line that records `record`, its newline included.

    What is no Unicode in a text becomes a question mark.
    """
    body = {"record": type(record).__name__, **_fields_of(record)}
    return text_of(body).encode("utf-8", "replace") + b"\n"


def decode(line: bytes) -> Record:
    """Return what `line` records; raise ValueError with the reason if it is no record."""
    body = json.loads(line)
    if not isinstance(body, dict) or body.get("record") not in KINDS:
        raise ValueError("no record that this version knows")
    record: Record = _reader(KINDS[body["record"]])(body)
    return record


def kind_of(line: bytes) -> str:
    """Return the name of the record in a `line` that `encode` wrote, else ""."""
    end = line.find(b'"', len(_PREFIX))
    return line[len(_PREFIX) : end].decode("utf-8", "replace") if line.startswith(_PREFIX) else ""


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return instant_text(value)
    return _fields_of(value)


def _fields_of(value: Any) -> dict[str, object]:
    return {name: getattr(value, name) for name in _field_names(value.__class__)}


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


_ENCODER = json.JSONEncoder(
    default=_plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def text_of(value: object) -> str:
    """Return the canonical JSON of a value that is made of what records are made of.

    >>> text_of((("zone", "UTC"),))
    '[["zone","UTC"]]'
    """
    return _ENCODER.encode(value)


def instant_text(instant: datetime) -> str:
    """Return the instant in UTC, to the microsecond; texts sort as their instants do."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} is no instant: it has no time zone")
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_text(kind: type[T], text: str) -> T:
    """Return the frozen value of `kind` whose canonical JSON is `text`."""
    value: T = _read_once(cast("Hashable", kind), text)
    return value


@lru_cache(maxsize=65_536)
def _read_once(kind: Hashable, text: str) -> Any:
    return _reader(kind)(json.loads(text))


@cache
def _reader(kind: Any) -> Reader:
    if isinstance(kind, NewType):
        return _reader(kind.__supertype__)
    if kind in (str, int, bool, float):
        return _read_plain(kind)
    if kind is datetime:
        return _read_instant
    if is_dataclass(kind):
        return _read_fields(kind)
    if isinstance(kind, type) and issubclass(kind, tuple) and get_origin(kind) is None:
        return _read_named(kind)
    return _read_composed(kind)


def _read_composed(kind: Any) -> Reader:
    origin, parts = get_origin(kind), get_args(kind)
    if NoneType in parts:
        (present,) = (_reader(part) for part in parts if part is not NoneType)
        return lambda value: None if value is None else present(value)
    if origin is tuple and parts[-1] is Ellipsis:
        each = _reader(parts[0])
        return lambda value: tuple(map(each, _checked(value, list)))
    if origin is tuple:
        readers = tuple(map(_reader, parts))
        return lambda value: tuple(_each(readers, value))
    if origin is Literal:
        return _read_plain(str)
    raise TypeError(f"records hold no {kind}")


def _checked(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{type(value).__name__} in the place of {kind.__name__}")  # noqa: TRY004
    return value


def _read_plain(kind: type) -> Reader:
    if kind is float:
        return lambda value: float(_checked(value, float | int))  # type: ignore[arg-type]
    return lambda value: _checked(value, kind)


def _read_instant(value: Any) -> datetime:
    return datetime.fromisoformat(_checked(value, str))


def _each(readers: tuple[Reader, ...], values: Any) -> list[Any]:
    return [read(value) for read, value in zip(readers, _checked(values, list), strict=True)]


def _read_named(kind: Any) -> Reader:
    """Return what reads a named tuple; fields that it gained since at its end have defaults."""
    hints = get_type_hints(kind)
    readers = tuple(_reader(hints[name]) for name in kind._fields)
    least = len(readers) - len(kind._field_defaults)

    def read(value: Any) -> Any:
        count = max(least, len(_checked(value, list)))
        return kind(*_each(readers[:count], value))

    return read


def _read_fields(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = {name: _reader(hints[name]) for name in _field_names(kind)}
    needed = [field.name for field in fields(kind) if field.default is MISSING]

    def read(value: Any) -> Any:
        body = _checked(value, dict)
        missing = [name for name in needed if name not in body]
        if missing:
            raise ValueError(f"no {missing[0]}")
        return kind(**{name: each(body[name]) for name, each in readers.items() if name in body})

    return read
