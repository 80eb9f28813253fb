"""The code version of a Python asset: its function, and all of the project's own that it reaches.

Nothing runs: functions and classes are read as syntax, and the values of globals, closure
cells and defaults as they are once the project is loaded. What `eval`, `globals()` or a
computed attribute reaches is not seen.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from assetflow.errors import ValueCannotBeFingerprinted
from assetflow.model.fingerprint import fingerprint
from assetflow.project.code_classes import class_thing, module_thing
from assetflow.project.code_functions import function_thing
from assetflow.project.code_scopes import Found, Ownership
from assetflow.project.code_things import Key, Reference, Thing, Things, raw_function, wrapped_by
from assetflow.project.outside_reads import OutsideRead

DUMP_RULES = "1"
"""The id of the rules by which code and values become text; a change of them raises it."""

_ITSELF = "the function itself"
_MAKERS: Mapping[str, Callable[[Things, Any], Thing]] = {
    "function": function_thing,
    "class": class_thing,
    "module": module_thing,
}


@dataclass(frozen=True, slots=True)
class CodePart:
    """One function, class, module or value of a closure.

    `source` is its normalized text, of which `fingerprint` is the fingerprint.
    """

    name: str
    source: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Closure:
    """What a function reaches: itself first, the rest by name. `outside` is in the same order."""

    parts: tuple[CodePart, ...]
    outside: tuple[OutsideRead, ...] = ()

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """Return name and fingerprint of each part, by name; the function's own is not in them."""
        own = self.parts[0].name
        return tuple(sorted((_masked(part.name, own), part.fingerprint) for part in self.parts))

    @property
    def fingerprint(self) -> str:
        """Return one fingerprint of all parts."""
        return fingerprint(*(word for version in self.versions for word in version))


def _masked(name: str, own: str) -> str:
    """Return the name of a part without that of the asset's function, so that it may change."""
    return _ITSELF + name.removeprefix(own) if f"{name}.".startswith(f"{own}.") else name


def close_over(
    function: Callable[..., Any],
    *,
    packages: Collection[str],
    root: Path,
    ignore: Collection[str] = (),
) -> Closure:
    """Return the closure of one function; for many, `Closer` reads each file once."""
    return Closer(packages, root).close_over(function, ignore=ignore)


class Closer:
    """Closes over the functions of one project, whose code is in `packages` or under `root`."""

    def __init__(self, packages: Collection[str], root: Path) -> None:
        self._ownership = Ownership(packages, root)
        self._things = Things(self._ownership, _MAKERS)

    def close_over(self, function: Callable[..., Any], *, ignore: Collection[str] = ()) -> Closure:
        """Return what `function` reaches; names in `ignore` are neither read nor followed.

        Raise ValueCannotBeFingerprinted for the first value of which changes could not be
        noticed. A name may be ignored as the code writes it (`CLIENT`, `clients.CLIENT`),
        as that of a parameter with a default, or in full (`shop.clients.CLIENT`).
        """
        walk = _Walk(self._things, frozenset(ignore))
        raw = raw_function(function)
        first = self._entry(_innermost(raw, self._things), type(raw).__name__)
        walk.reach(first)
        walk.reach(self._entry(raw, first[1]))
        return walk.closure(first)

    def _entry(self, function: object, name: str) -> Key:
        target = self._things.reference("", Found(function, name)).target
        assert target is not None
        return target


@dataclass(frozen=True, slots=True)
class _Step:
    """A thing to be visited, and the last function or class on the way to it."""

    key: Key
    reader: Thing
    line: int


class _Walk:
    """One closure in the making: what was reached, and under which name.

    Things of one name (two closures of one function, say) are told apart by the order in
    which they are reached, which is that of the labels in the code.
    """

    def __init__(self, things: Things, ignore: frozenset[str]) -> None:
        self._things = things
        self._ignore = ignore
        self._names: dict[Key, str] = {}
        self._taken: Counter[str] = Counter()
        self._asset: Thing | None = None

    def reach(self, entry: Key) -> None:
        """Visit all that `entry` leads to; raise ValueCannotBeFingerprinted where that ends."""
        thing = self._things.thing(entry)
        self._asset = self._asset or thing
        pending = [_Step(entry, thing, thing.line)]
        if thing.problem:
            raise self._error(Reference("", thing.name), thing, pending[0])
        while pending:
            step = pending.pop()
            if step.key not in self._names:
                pending.extend(reversed(list(self._visited(step))))

    def closure(self, first: Key) -> Closure:
        """Return what was reached, `first` in front."""
        others = sorted(self._names.keys() - {first}, key=self._names.__getitem__)
        keys = [first, *others]
        parts = tuple(self._part(key, first) for key in keys)
        outside = tuple(read for key in keys for read in self._things.thing(key).outside)
        return Closure(parts, outside)

    def _visited(self, step: _Step) -> Iterator[_Step]:
        """Give the thing of `step` its name, and yield what it leads to."""
        thing = self._things.thing(step.key)
        self._taken[thing.name] += 1
        count = self._taken[thing.name]
        self._names[step.key] = thing.name if count == 1 else f"{thing.name}~{count}"
        reader = thing if thing.path else step.reader
        for reference in thing.references:
            if reference.target is None or self._is_ignored(reference):
                continue
            following = _Step(reference.target, reader, reference.line or step.line)
            reached = self._things.thing(reference.target)
            if reached.problem:
                raise self._error(reference, reached, following)
            yield following

    def _is_ignored(self, reference: Reference) -> bool:
        if not self._ignore:
            return False
        label = reference.label.removesuffix(".<value>")
        inner = re.fullmatch(r"<\w+ (.+)>", label)
        names = {label, label.rpartition(".")[2], reference.name, inner[1] if inner else label}
        return not names.isdisjoint(self._ignore)

    def _error(self, reference: Reference, reached: Thing, step: _Step) -> Exception:
        assert self._asset is not None
        place = self._things.ownership.place
        return ValueCannotBeFingerprinted(
            reference.label.removesuffix(".<value>") or reference.name,
            reached.problem,
            read_by=step.reader.name,
            place=place(step.reader.path, step.line),
            asset=self._asset.name,
            asset_place=place(self._asset.path, self._asset.line),
        )

    def _part(self, key: Key, first: Key) -> CodePart:
        thing = self._things.thing(key)
        lines = [thing.text, *(self._line(each, first) for each in thing.references)]
        source = "\n".join(lines)
        return CodePart(self._names[key], source, fingerprint(source))

    def _line(self, reference: Reference, first: Key) -> str:
        """Return what a label in the code stands for; the asset's own function has no name."""
        if reference.target is None:
            return f"{reference.label} = {reference.name}"
        if self._is_ignored(reference):
            return f"{reference.label} is ignored"
        name = _masked(self._names[reference.target], self._names[first])
        return f"{reference.label} = {name}"


def _innermost(function: object, things: Things) -> object:
    """Return the function that decorators of the project and of libraries were put around."""
    seen = {id(function)}
    while True:
        inner = raw_function(wrapped_by(function))
        if not isinstance(inner, FunctionType) or things.key(inner) is None or id(inner) in seen:
            return function
        seen.add(id(inner))
        function = inner
