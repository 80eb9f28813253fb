"""To which partition a file of a source belongs, by its path: `{day}`, `{key}`, `month=*`.

Placeholders stand for keys as assetflow writes them: `{day}`, `{hour}`, `{week}` and
`{month}` for the unit of time partitions, `{key}` for any, and the names of a product's
dimensions for those. Folders such as `year=*/month=*` tell the parts of a time.
"""

import functools
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from urllib.parse import unquote

from assetflow.model.asset import Source
from assetflow.model.names import PartitionKey
from assetflow.model.partitions import (
    JOINS_DIMENSIONS,
    DynamicPartitions,
    KeySet,
    Partitions,
    ProductPartitions,
    Simple,
    TimePartitions,
    find_key_problem,
)
from assetflow.model.windows import Grid, Unit

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_HIVE = re.compile(r"(?:^|/)(\w+)=\*(?=/|$)")
_PIECE = re.compile(
    r"\{(?P<name>\w+)\}|(?P<folders>\*\*/)|(?P<any>\*\*?)|(?P<one>\?)|(?P<set>\[[^]]+\])"
    r"|(?:(?<=/)|^)(?P<hive>\w+)=\*(?=/|$)"
)
_KEY = "key"
_LEVELS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "hour": (("year", "month", "day", "hour"),),
    "day": (("year", "month", "day"),),
    "week": (("year", "week"),),
    "month": (("year", "month"),),
}
_UNITS: Mapping[str, Unit] = {"hour": "hour", "day": "day", "week": "week", "month": "month"}
_BEGINNING = datetime(1970, 1, 1)  # noqa: DTZ001 - a local time
_TIME_TEXTS: Mapping[Unit, str] = {
    "hour": r"\d{4}-\d\d-\d\dT\d\d(?:[+-]\d+)?",
    "day": r"\d{4}-\d\d-\d\d",
    "week": r"\d{4}-W\d\d",
    "month": r"\d{4}-\d\d",
}


def glob_of(path: str) -> str:
    """Return the glob of all files of a path with placeholders.

    >>> glob_of("data/{day}/orders-*.csv")
    'data/*/orders-*.csv'
    """
    return _PLACEHOLDER.sub("*", path)


def has_keys(path: str) -> bool:
    """Whether `path` has a placeholder."""
    return _PLACEHOLDER.search(path) is not None


def allowed_names(partitions: Partitions) -> tuple[str, ...]:
    """Return the names that placeholders may have for `partitions`."""
    if isinstance(partitions, ProductPartitions):
        return tuple(name for name, _ in partitions.dimensions)
    return (partitions.unit, _KEY) if isinstance(partitions, TimePartitions) else (_KEY,)


def find_path_problem(path: str, partitions: Partitions) -> str | None:
    """Return what is wrong with `path`, where it cannot say a key of `partitions`."""
    names, allowed = _PLACEHOLDER.findall(path), allowed_names(partitions)
    for name in names:
        if name not in allowed:
            return f"{{{name}}} is none of {', '.join(f'{{{one}}}' for one in allowed)}"
    folders = _HIVE.findall(path)
    if twice := {name for name in folders if folders.count(name) > 1}:
        return f"the folder {min(twice)}=* is there twice"
    for name, dimension in _dimensions(partitions):
        if not _is_told(name, dimension, set(names), set(folders)):
            return f"nothing in it says the {name or _KEY} of a file"
    return None


def inferred_partitions(name: str, path: str) -> TimePartitions | DynamicPartitions | None:
    """Return the partitions that the one placeholder of `path` stands for; None without one.

    They have no keys of their own: `keys_found` says which there are. What `{key}` stands
    for is dynamic, under the `name` of the source.

    >>> str(inferred_partitions("orders", "data/{day}.csv"))
    'daily in UTC'
    """
    names = set(_PLACEHOLDER.findall(path))
    if names == {_KEY}:
        return DynamicPartitions(name)
    unit = _UNITS.get(names.pop()) if len(names) == 1 else None
    return None if unit is None else TimePartitions(unit, Grid(unit).key_of(_BEGINNING))


def keys_found(partitions: Partitions, told: Collection[PartitionKey]) -> KeySet:
    """Return the keys of inferred `partitions`: those that files `told`.

    Of time it is all from the first to the last: a window between without a file is missing.
    """
    if not told or not isinstance(partitions, TimePartitions):
        return KeySet(partitions, sorted(told))
    grid = partitions.grid
    first, last = min(told, key=grid.start), max(told, key=grid.start)
    start, end = grid.find_local(first), grid.local_end(last)
    assert start is not None
    between = grid.keys(grid.key_of(start), grid.key_of(end))
    return KeySet(partitions, sorted({*between, *told}, key=grid.start))


def _dimensions(partitions: Partitions) -> tuple[tuple[str, Simple], ...]:
    if isinstance(partitions, ProductPartitions):
        return partitions.dimensions
    return (("", partitions),)


def _is_told(name: str, dimension: Simple, names: set[str], folders: set[str]) -> bool:
    if names & ({name} if name else set(allowed_names(dimension))) or name in folders:
        return True
    return isinstance(dimension, TimePartitions) and any(
        set(parts) <= folders for parts in _LEVELS[dimension.unit]
    )


def key_of_path(source: Source, path: str) -> PartitionKey | None:
    """Return the key of the file at `path`, relative to the project as the source's own path is.

    None where the path does not fit, or what it says is no key; a key need not be one of
    those that the definition has now. Of a placeholder that is there twice both must agree.
    """
    if source.partitions is None:
        return None
    found = _pattern(source.path, source.partitions).fullmatch(path)
    said = _said(found) if found else None
    if said is None:
        return None
    keys = [_key_in(said, name, one) for name, one in _dimensions(source.partitions)]
    known = [key for key in keys if key is not None]
    return PartitionKey(JOINS_DIMENSIONS.join(known)) if len(known) == len(keys) else None


def _said(found: re.Match[str]) -> dict[str, str] | None:
    """Return what a path says under each name; None where it says two things under one."""
    said = dict[str, str]()
    for group, text in found.groupdict().items():
        kind, _, name = group.partition("_")
        value = unquote(text) if kind.startswith("h") else text
        if said.setdefault(f"{name}=" if kind.startswith("h") else name, value) != value:
            return None
    return said


def _key_in(said: Mapping[str, str], name: str, dimension: Simple) -> PartitionKey | None:
    names = (name,) if name else allowed_names(dimension)
    key = next((said[one] for one in (*names, f"{name}=") if one in said), None)
    if isinstance(dimension, TimePartitions):
        text = _of_folders(said, dimension) or key
        is_key = text is not None and dimension.grid.window(text) is not None
        return PartitionKey(text) if text is not None and is_key else None
    return PartitionKey(key) if key is not None and find_key_problem(key) is None else None


def _of_folders(said: Mapping[str, str], dimension: TimePartitions) -> str | None:
    """Return the key that folders such as `year=2026/month=01` say, as plain numbers."""
    for parts in _LEVELS[dimension.unit]:
        texts = [said.get(f"{part}=", "") for part in parts]
        if all(text.isdecimal() for text in texts):
            return _from_numbers(dimension, [int(text) for text in texts])
    return None


def _from_numbers(dimension: TimePartitions, numbers: list[int]) -> str | None:
    if dimension.unit == "week":
        return f"{numbers[0]:04}-W{numbers[1]:02}"
    year, month, day, hour = (*numbers, *(1, 1, 1, 0)[len(numbers) :])
    try:
        local = datetime(year, month, day, hour)  # noqa: DTZ001 - a local time
    except ValueError:
        return None
    return Grid(dimension.unit).key_of(local)


@functools.lru_cache
def _pattern(path: str, partitions: Partitions) -> re.Pattern[str]:
    """Return the pattern of the files of `path`, with a group for each thing that it says."""
    texts = {
        name: _TIME_TEXTS[one.unit]
        for dimension, one in _dimensions(partitions)
        if isinstance(one, TimePartitions)
        for name in ((dimension,) if dimension else allowed_names(one))
    }
    return re.compile("".join(_pieces(path, texts)))


def _pieces(path: str, texts: Mapping[str, str]) -> Iterator[str]:
    at = 0
    for count, found in enumerate(_PIECE.finditer(path)):
        yield re.escape(path[at : found.start()])
        at = found.end()
        match found.lastgroup:
            case "name":
                name = found["name"]
                yield f"(?P<n{count}_{name}>{texts.get(name, '[^/]+?')})"
            case "hive":
                yield f"{found['hive']}=(?P<h{count}_{found['hive']}>[^/]*)"
            case "folders":
                yield "(?:.*/)?"
            case "any":
                yield "[^/]*"
            case "one":
                yield "[^/]"
            case _:
                yield found["set"]
    yield re.escape(path[at:])
