"""Select assets by name, pattern, attribute and lineage: `stg_*`, `+orders`, `tag:daily`.

Several texts are a union, a comma inside one is an intersection.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from assetflow.errors import BadSelection, UnknownSelection
from assetflow.graph.graph import AssetGraph
from assetflow.model.asset import Asset, Options, Source
from assetflow.model.names import AssetName, folded

_TERM = re.compile(
    r"(?:(?P<up>\d*)(?P<plus_up>\+))?(?P<what>[^+]+)(?:(?P<plus_down>\+)(?P<down>\d*))?"
)

Statuses = Mapping[AssetName, Collection[str]]
"""The statuses of each asset that `status:` can ask for."""

STATUSES = (
    *("up_to_date", "stale", "missing", "unknown"),
    *("fresh", "due_soon", "overdue", "no_policy"),
    *("passed", "warned", "failed", "rejected", "unchecked"),
)


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a selection: what it names, and how far up and down; None is no limit."""

    method: str
    value: str
    up: int | None = 0
    down: int | None = 0


def parse_term(text: str) -> Term:
    """Return the term that `text` says.

    >>> parse_term("2+orders+")
    Term(method='name', value='orders', up=2, down=None)
    >>> parse_term("tag:daily")
    Term(method='tag', value='daily', up=0, down=0)
    """
    found = _TERM.fullmatch(text.strip())
    if found is None:
        raise BadSelection(text, "it is empty or has a '+' inside")
    what = found["what"].strip()
    method, colon, value = what.partition(":")
    if not colon:
        method, value = "name", what
    elif method not in (*METHODS, "status"):
        raise BadSelection(text, f"'{method}:' is not known")
    if not value:
        raise BadSelection(text, "nothing follows the colon")
    if method == "status" and value not in STATUSES:
        raise UnknownSelection(text, [f"status:{status}" for status in STATUSES])
    return Term(
        method,
        value,
        _depth(found["plus_up"], found["up"]),
        _depth(found["plus_down"], found["down"]),
    )


def _depth(plus: str | None, count: str | None) -> int | None:
    if not plus:
        return 0
    return int(count) if count else None


@dataclass(frozen=True, slots=True)
class Field:
    """What can be selected: `declared`, of all that is in `graph`."""

    graph: AssetGraph
    declared: Mapping[AssetName, Asset | Source]
    statuses: Statuses


def select(
    graph: AssetGraph,
    texts: Iterable[str],
    exclude: Iterable[str] = (),
    statuses: Statuses | None = None,
    *,
    with_sources: bool = False,
) -> frozenset[AssetName]:
    """Return the assets that `texts` select, less those that `exclude` selects.

    `with_sources` selects sources like assets: by name, tag, owner …, and as upstreams.

    Raises UnknownSelection for a text that selects nothing because no such name, tag …
    exists; an empty `status:` or intersection is an empty answer. Else a source's name
    selects nothing by itself, but `source+` selects what is made from it.
    """
    declared: dict[AssetName, Asset | Source] = {**graph.assets}
    if with_sources:
        declared |= graph.sources
    field = Field(graph, declared, statuses or {})
    wanted: set[AssetName] = set()
    for text in texts:
        wanted |= _select_one(field, text)
    for text in exclude:
        wanted -= _select_one(field, text)
    return frozenset(wanted)


def wants_status(texts: Iterable[str]) -> bool:
    """Whether one of `texts` asks for a status, which has to be worked out first."""
    return any("status:" in text for text in texts)


def _select_one(field: Field, text: str) -> set[AssetName]:
    parts = [_select_term(field, parse_term(part)) for part in _split(text)]
    return set.intersection(*parts)


def _split(text: str) -> list[str]:
    parts = text.split(",")
    if not all(part.strip() for part in parts):
        raise BadSelection(text, "a part between commas is empty")
    return parts


def _select_term(field: Field, term: Term) -> set[AssetName]:
    matched = _matched(field, term)
    found = set(matched)
    if term.up != 0:
        found |= field.graph.all_upstream(matched, term.up)
    if term.down != 0:
        found |= field.graph.all_downstream(matched, term.down)
    return found & field.declared.keys()


def _matched(field: Field, term: Term) -> set[AssetName]:
    if term.method == "status":
        return {name for name in field.graph.assets if term.value in field.statuses.get(name, ())}
    if term.method == "name":
        names: Iterable[AssetName] = (*field.graph.assets, *field.graph.sources)
        pattern = folded(term.value)
        found = {name for name in names if fnmatchcase(folded(name), pattern)}
    else:
        holds = METHODS[term.method]
        found = {name for name, one in field.declared.items() if holds(one, term.value)}
    if not found:
        prefix = "" if term.method == "name" else f"{term.method}:"
        known = [f"{prefix}{value}" for value in _known_values(field, term.method)]
        raise UnknownSelection(f"{prefix}{term.value}", known)
    return found


def _known_values(field: Field, method: str) -> set[str]:
    if method == "name":
        return {*field.graph.assets, *field.graph.sources}
    values: dict[str, Callable[[Asset | Source], Iterable[str]]] = {
        "tag": lambda one: _about(one).tags,
        "group": lambda one: (_about(one).group,),
        "owner": lambda one: _about(one).owners,
        "kind": lambda one: (_kind(one),),
        "path": lambda one: (one.location.path,),
    }
    return {value for one in field.declared.values() for value in values[method](one)} - {""}


def _about(one: Asset | Source) -> Options | Source:
    return one.options if isinstance(one, Asset) else one


def _kind(one: Asset | Source) -> str:
    return one.kind if isinstance(one, Asset) else "source"


def _is_under(one: Asset | Source, value: str) -> bool:
    prefix = value.rstrip("/")
    path = one.location.path
    return path == prefix or path.startswith(f"{prefix}/") or fnmatchcase(path, value)


METHODS: Mapping[str, Callable[[Asset | Source, str], bool]] = {
    "name": lambda one, value: one.name == value,
    "tag": lambda one, value: any(fnmatchcase(tag, value) for tag in _about(one).tags),
    "group": lambda one, value: fnmatchcase(_about(one).group, value),
    "owner": lambda one, value: value in _about(one).owners,
    "kind": lambda one, value: _kind(one) == value,
    "path": _is_under,
}
"""What can stand before the colon of a term, but for `status:`."""
