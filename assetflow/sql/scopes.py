"""What names mean where: the tables, CTEs and aliases that a piece of SQL can see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assetflow.sql.flows import (
    NOTHING,
    Flows,
    Output,
    Relation,
    as_read,
    as_value,
    union,
)


@dataclass(slots=True)
class Source:
    """One table in FROM. `alias` is its folded name, `path` the words of a dotted one.

    `merged` are the columns that USING has merged into an earlier table.
    """

    alias: str
    relation: Relation
    path: tuple[str, ...] = ()
    merged: frozenset[str] = frozenset()

    def rest_of(self, parts: Sequence[str]) -> Sequence[str]:
        """Return what of `parts` follows the name of this table, nothing if it is another's."""
        if parts[0] == self.alias:
            return parts[1:]
        size = len(self.path)
        return parts[size:] if size > 1 and tuple(parts[:size]) == self.path else ()


@dataclass(slots=True)
class Found:
    """What a name means at one level: surely, perhaps, or as a whole table.

    What is only `perhaps` meant is read, and the search goes on further out.
    """

    sure: list[Flows] = field(default_factory=list)
    perhaps: list[Flows] = field(default_factory=list)
    table: Source | None = None
    is_alias: bool = False


@dataclass(slots=True)
class Scope:
    """One level of names, inside `parent`.

    `using` are columns merged by USING, `aliases` those of the select list, `windows`
    the named windows; `parameters` are those of a lambda. `aliases_first` holds in ORDER BY.
    """

    parent: "Scope | None" = None
    ctes: Mapping[str, Relation] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    using: dict[str, Flows] = field(default_factory=dict)
    aliases: dict[str, Flows] = field(default_factory=dict)
    windows: dict[str, Flows] = field(default_factory=dict)
    parameters: frozenset[str] = frozenset()
    aliases_first: bool = False

    def inner(self) -> "Scope":
        """Return a new level inside this one, as a subquery has it."""
        return Scope(self, self.ctes)

    def find(self, parts: Sequence[str]) -> Found:
        """Return what the folded words `parts` mean at this level alone."""
        if parts[0] in self.parameters:
            return Found([NOTHING]) if len(parts) == 1 else Found([], [NOTHING])
        return self._find_one(parts[0]) if len(parts) == 1 else self._find_path(parts)

    def window(self, name: str) -> Flows:
        """Return what the named window `name` reads, nothing where there is none."""
        level: Scope | None = self
        while level is not None:
            if name in level.windows:
                return level.windows[name]
            level = level.parent
        return NOTHING

    def _find_one(self, name: str) -> Found:
        columns = self._columns(name)
        alias = [self.aliases[name]] if name in self.aliases else []
        if columns and alias:
            first, second = (alias, columns) if self.aliases_first else (columns, alias)
            return Found([*first, as_read(union(second))])
        if columns or alias:
            return Found(columns or alias, is_alias=not columns)
        unsure = [flows for source in self.sources for flows in source.relation.unsure]
        table = next((source for source in self.sources if source.alias == name), None)
        return Found([], unsure, table)

    def _columns(self, name: str) -> list[Flows]:
        if name in self.using:
            return [self.using[name]]
        return [flows for source in self.sources for flows in source.relation.named(name)]

    def _find_path(self, parts: Sequence[str]) -> Found:
        """Return what a dotted name means: a table's column, or a field of a column."""
        found = Found()
        for source in self.sources:
            rest = source.rest_of(parts)
            if not rest:
                continue
            columns = list(source.relation.named(rest[0]))
            if len(rest) > 1:
                columns = [as_value(flows, "transformation") for flows in columns]
            found.sure += columns
            if not columns:
                found.perhaps += source.relation.unsure
        struct = self._find_one(parts[0])
        found.sure += [as_value(flows, "transformation") for flows in struct.sure]
        if not found.sure:
            found.perhaps += struct.perhaps
        return found


def star(sources: Sequence[Source], scope: Scope) -> list[Output]:
    """Return the columns that `*` gives: those merged by USING once, where they come first."""
    outputs = []
    for source in sources:
        for output in source.relation.outputs:
            name = output.name
            if name and name in source.merged:
                continue
            is_merged = name is not None and name in scope.using
            outputs.append(Output(name, scope.using[name]) if is_merged and name else output)
    return outputs
