"""Lineage as trees: of assets with what is read along each edge, of one column up and down."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from assetflow.graph.lineage import VALUE_KINDS, ColumnName, Lineage
from assetflow.model.columns import EdgeKind, ReadSet
from assetflow.model.names import AssetName
from assetflow.report.lineage_scope import Direction, LineageScope, Node
from assetflow.report.palette import faint
from assetflow.report.words import counted, listed_within

DEEPEST = 20
MOST_COLUMNS = 5

KIND_WORDS: Mapping[EdgeKind, str] = {
    "identity": "as it is",
    "transformation": "transformed",
    "aggregation": "aggregated",
    "join": "joined on",
    "filter": "filtered by",
    "group": "grouped by",
    "sort": "sorted by",
    "window": "windowed by",
    "conditional": "in a condition",
}
"""How each kind of edge reads beside a column."""


TITLES: Mapping[Direction, tuple[str, str, str]] = {
    "up": ("made from", "comes from", "made from nothing else"),
    "down": ("used by", "used by", "used by nothing"),
}


class Neighbour(NamedTuple):
    """One asset or column beside another, and how it reads in the tree."""

    to: Node
    label: Text


@dataclass(slots=True)
class _Drawing:
    """One tree while it is drawn: `seen` is what was expanded already, so that each is once."""

    neighbours: Callable[[Node], Sequence[Neighbour]]
    deepest: int
    seen: set[Node] = field(default_factory=set)

    def grow(self, tree: Tree, at: Node, level: int = 0) -> None:
        """Hang all that is beside `at` below `tree`, level by level."""
        found = self.neighbours(at)
        if found and level >= self.deepest:
            tree.add(faint(f"… {len(found):,} more below (--depth)"))
            return
        for neighbour in found:
            is_known = neighbour.to in self.seen
            label = neighbour.label.copy()
            if is_known and self.neighbours(neighbour.to):
                label.append("  (see above)", style="dim")
            branch = tree.add(label)
            if not is_known:
                self.seen.add(neighbour.to)
                self.grow(branch, neighbour.to, level + 1)


def lineage_tree(lineage: Lineage, scope: LineageScope) -> RenderableType:
    """Return the tree of the column that was asked for, of each asset, or of the whole."""
    if lineage.column is not None:
        return _column_tree(lineage, lineage.column, scope)
    if not lineage.assets:
        return Text("No asset is declared yet. `assetflow init` writes a project to start from.")
    if lineage.focus:
        trees = [_asset_tree(lineage, name, scope) for name in lineage.focus]
        return Group(*_spaced(trees))
    return _whole(lineage, scope)


def _deepest(scope: LineageScope) -> int:
    """Return how many levels are drawn; a deeper tree does not fit a terminal."""
    return DEEPEST if scope.depth is None else min(scope.depth, DEEPEST)


def _spaced(parts: Iterable[RenderableType]) -> list[RenderableType]:
    spaced: list[RenderableType] = []
    for part in parts:
        spaced += [Text(), part] if spaced else [part]
    return spaced


def _whole(lineage: Lineage, scope: LineageScope) -> RenderableType:
    """Return everything, from what is made of nothing else downwards."""
    downstream = {name for _, name in lineage.edges}
    drawing = _Drawing(_asset_neighbours(lineage, "down"), _deepest(scope))
    kinds = {asset.name: asset.kind for asset in lineage.assets}
    trees: list[RenderableType] = []
    for asset in lineage.assets:
        if asset.name not in downstream:
            tree = Tree(_asset_label(asset.name, kinds[asset.name]), guide_style="dim")
            drawing.grow(tree, asset.name)
            trees.append(tree)
    edges = counted(len(lineage.edges), "edge")
    return Group(
        *trees,
        Text(),
        f"{counted(len(lineage.assets), 'asset and source', 'assets and sources')}, {edges}.",
    )


def _asset_tree(lineage: Lineage, name: AssetName, scope: LineageScope) -> Tree:
    kinds = {asset.name: asset.kind for asset in lineage.assets}
    tree = Tree(_asset_label(name, kinds.get(name, ""), style="bold"), guide_style="dim")
    for direction in scope.directions:
        drawing = _Drawing(_asset_neighbours(lineage, direction), _deepest(scope))
        title, _, nothing = TITLES[direction]
        _side(tree, (title, nothing), drawing, name)
    return tree


def _side(tree: Tree, titles: tuple[str, str], drawing: _Drawing, start: Node) -> None:
    """Hang one side below `tree`: `titles` are for when there is something, and when not."""
    if drawing.neighbours(start):
        drawing.grow(tree.add(faint(titles[0])), start)
    else:
        tree.add(faint(titles[1]))


def _asset_label(name: str, kind: str, style: str = "") -> Text:
    return Text(name, style=style).append(f"  {kind}" if kind else "", style="dim")


def _asset_neighbours(
    lineage: Lineage, direction: Direction
) -> Callable[[Node], Sequence[Neighbour]]:
    """Return a function that gives what is next to an asset, with what is read on the way."""
    kinds = {asset.name: asset.kind for asset in lineage.assets}
    beside: dict[Node, list[Neighbour]] = {}
    for upstream, downstream in lineage.edges:
        at, to = (downstream, upstream) if direction == "up" else (upstream, downstream)
        label = _asset_label(to, kinds.get(to, ""))
        read = lineage.read_sets.get(downstream, {}).get(upstream)
        if read is not None:
            verb = "read:" if direction == "up" else "reads"
            label.append(f"  {verb} {read_text(read)}", style="cyan")
        beside.setdefault(at, []).append(Neighbour(to, label))
    return lambda node: beside.get(node, ())


def read_text(read: ReadSet) -> str:
    """Return what is read, in words.

    >>> read_text(ReadSet()), read_text(ReadSet.of(())), read_text(ReadSet.of(["b", "a"]))
    ('all columns', 'the row count', 'a, b')
    """
    if read.columns is None:
        text = "all columns"
    elif read.columns:
        text = listed_within(read.columns, MOST_COLUMNS)
    else:
        text = "the row count"
    return f"{text}, in order" if read.ordered else text


def _column_tree(lineage: Lineage, column: ColumnName, scope: LineageScope) -> RenderableType:
    tree = Tree(_column_root(lineage, column), guide_style="dim")
    for direction in scope.directions:
        beside = _column_neighbours(lineage, direction, scope)
        _, title, nothing = TITLES[direction]
        _side(tree, (title, nothing), _Drawing(beside, _deepest(scope)), column)
    hidden = _hidden(lineage, column, scope)
    if not hidden:
        return tree
    verb = "decides" if hidden == 1 else "decide"
    more = f"{counted(hidden, 'more edge')} {verb} which rows there are: --all-kinds shows them."
    return Group(tree, Text(), faint(more))


def _column_root(lineage: Lineage, column: ColumnName) -> Text:
    text = Text(str(column), style="bold")
    for asset in lineage.assets:
        if asset.name == column.asset:
            for found in asset.columns or ():
                if found.name == column.column:
                    text.append(f"  {found.type}", style="dim")
    return text


def _column_neighbours(
    lineage: Lineage, direction: Direction, scope: LineageScope
) -> Callable[[Node], Sequence[Neighbour]]:
    """Return a function that gives what is next to a column, each once with all its kinds."""
    kinds: dict[ColumnName, dict[ColumnName, list[EdgeKind]]] = {}
    for link in lineage.column_links:
        if scope.all_kinds or link.kind in VALUE_KINDS:
            ends = (link.target, link.source) if direction == "up" else (link.source, link.target)
            kinds.setdefault(ends[0], {}).setdefault(ends[1], []).append(link.kind)
    beyond = _beyond_up(lineage) if direction == "up" else _beyond_down(lineage)

    def neighbours(node: Node) -> Sequence[Neighbour]:
        if isinstance(node, str):
            return ()
        found = dict(kinds.get(node, {}))
        if direction == "up" and node.column:
            for other, more in kinds.get(ColumnName(node.asset, ""), {}).items():
                found[other] = [*found.get(other, []), *more]
        columns = [Neighbour(to, _column_label(to, of)) for to, of in found.items()]
        return [*columns, *beyond(node)]

    return neighbours


def _beyond_down(lineage: Lineage) -> Callable[[ColumnName], Sequence[Neighbour]]:
    """Return a function that gives the assets whose code reads a column, to what end is unknown."""
    linked = {(link.source, link.target.asset) for link in lineage.column_links}
    readers: dict[AssetName, list[AssetName]] = {}
    for upstream, downstream in lineage.edges:
        readers.setdefault(upstream, []).append(downstream)

    def beyond(column: ColumnName) -> Sequence[Neighbour]:
        return [
            Neighbour(name, Text(name).append("  read by its code", style="cyan"))
            for name in readers.get(column.asset, ())
            if (column, name) not in linked
            and _reads(lineage.read_sets.get(name, {}).get(column.asset), column.column)
        ]

    return beyond


def _reads(read: ReadSet | None, column: str) -> bool:
    return read is not None and bool(column) and (read.columns is None or column in read.columns)


def _beyond_up(lineage: Lineage) -> Callable[[ColumnName], Sequence[Neighbour]]:
    """Return a function that gives what an asset reads where its columns cannot be followed."""
    followed = {link.target.asset for link in lineage.column_links}
    upstreams: dict[AssetName, list[AssetName]] = {}
    for upstream, downstream in lineage.edges:
        upstreams.setdefault(downstream, []).append(upstream)

    def beyond(column: ColumnName) -> Sequence[Neighbour]:
        if column.asset in followed:
            return ()
        read = lineage.read_sets.get(column.asset, {})
        return [
            Neighbour(name, _asset_label(name, "").append(f"  {_through(read.get(name))}", "cyan"))
            for name in upstreams.get(column.asset, ())
        ]

    return beyond


def _through(read: ReadSet | None) -> str:
    return "through code" if read is None else f"through code that reads {read_text(read)}"


def _column_label(column: ColumnName, kinds: Iterable[EdgeKind]) -> Text:
    name = str(column) if column.column else f"{column.asset} (its rows)"
    words = ", ".join(KIND_WORDS[kind] for kind in dict.fromkeys(kinds))
    return Text(name).append(f"  {words}", style="cyan")


def _hidden(lineage: Lineage, column: ColumnName, scope: LineageScope) -> int:
    """Count the edges right at `column` that are not shown because they only decide rows."""
    if scope.all_kinds:
        return 0
    rows = ColumnName(column.asset, "")
    return sum(
        ("up" in scope.directions and link.target in (column, rows))
        or ("down" in scope.directions and link.source == column)
        for link in lineage.column_links
        if link.kind not in VALUE_KINDS
    )
