"""Lineage as text for other tools to draw: Mermaid and DOT."""

from collections.abc import Iterator
from typing import NamedTuple

from assetflow.graph.lineage import VALUE_KINDS, ColumnName, Lineage

INDENT = "  "


class Diagram(NamedTuple):
    """Nodes as (label, kind), and edges as (from, to, label, whether it decides rows only)."""

    nodes: tuple[tuple[str, str], ...]
    edges: tuple[tuple[str, str, str, bool], ...]


def diagram(lineage: Lineage) -> Diagram:
    """Return what there is to draw: columns if one was asked for, else assets."""
    return _of_columns(lineage) if lineage.column else _of_assets(lineage)


def _of_assets(lineage: Lineage) -> Diagram:
    nodes = tuple((str(asset.name), str(asset.kind)) for asset in lineage.assets)
    edges = tuple((str(up), str(down), "", False) for up, down in lineage.edges)
    return Diagram(nodes, edges)


def _of_columns(lineage: Lineage) -> Diagram:
    kinds = {asset.name: str(asset.kind) for asset in lineage.assets}
    nodes: dict[str, str] = {}
    edges: dict[tuple[str, str, str, bool], None] = {}
    for link in lineage.column_links:
        decides_rows = link.kind not in VALUE_KINDS
        for end in (link.source, link.target):
            nodes[_column_text(end)] = kinds.get(end.asset, "")
        edges[_column_text(link.source), _column_text(link.target), link.kind, decides_rows] = None
    if lineage.column is not None:
        nodes.setdefault(_column_text(lineage.column), kinds.get(lineage.column.asset, ""))
    return Diagram(tuple(nodes.items()), tuple(edges))


def _column_text(column: ColumnName) -> str:
    return str(column) if column.column else f"{column.asset} (rows)"


def mermaid(lineage: Lineage) -> str:
    """Return lineage as a Mermaid flowchart; sources are drawn as cylinders."""
    drawn = diagram(lineage)
    return "\n".join(["flowchart LR", *_mermaid_lines(drawn)])


def _mermaid_lines(drawn: Diagram) -> Iterator[str]:
    ids = {label: f"n{place}" for place, (label, _) in enumerate(drawn.nodes)}
    for label, kind in drawn.nodes:
        left, right = {"source": ("[(", ")]"), "python": ("([", "])")}.get(kind, ("[", "]"))
        yield f'{INDENT}{ids[label]}{left}"{_mermaid_text(label)}"{right}'
    for start, end, label, decides_rows in drawn.edges:
        arrow = "-.->" if decides_rows else "-->"
        words = f"|{label}|" if label else ""
        yield f"{INDENT}{ids[start]} {arrow}{words} {ids[end]}"


def _mermaid_text(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def dot(lineage: Lineage) -> str:
    """Return lineage as a DOT digraph, for Graphviz."""
    drawn = diagram(lineage)
    head = ["digraph lineage {", f"{INDENT}rankdir=LR;", f"{INDENT}node [shape=box];"]
    return "\n".join([*head, *_dot_lines(drawn), "}"])


def _dot_lines(drawn: Diagram) -> Iterator[str]:
    for label, kind in drawn.nodes:
        shape = {"source": " [shape=cylinder]", "python": " [style=rounded]"}.get(kind, "")
        yield f"{INDENT}{_dot_text(label)}{shape};"
    for start, end, label, decides_rows in drawn.edges:
        style = ", style=dashed" if decides_rows else ""
        words = f" [label={_dot_text(label)}{style}]" if label else ""
        yield f"{INDENT}{_dot_text(start)} -> {_dot_text(end)}{words};"


def _dot_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
