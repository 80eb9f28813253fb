"""`assetflow lineage`: what is made from what, down to the column."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import (
    MAIN,
    Environment,
    Json,
    ProjectFolder,
    Select,
    one_of,
    whole_number,
)
from assetflow.graph.lineage import Lineage
from assetflow.report.lineage_scope import Direction, LineageScope

FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="tree, mermaid, dot, json or openlineage.",
        show_default=False,
        parser=one_of("--format", "tree", "mermaid", "dot", "json", "openlineage"),
    ),
]
Up = Annotated[bool, typer.Option("--up", help="Only what it is made from.")]
Down = Annotated[bool, typer.Option("--down", help="Only what is made from it.")]
Depth = Annotated[
    int | None,
    typer.Option(
        "--depth",
        metavar="N",
        help="How many levels a tree shows.",
        show_default=False,
        parser=whole_number("--depth"),
    ),
]
AllKinds = Annotated[
    bool,
    typer.Option(
        "--all-kinds",
        help="Show also the columns that only decide which rows there are: join, filter, group ...",
    ),
]


def lineage(
    select: Select = None,
    *,
    output: FormatOption = "tree",
    up: Up = False,
    down: Down = False,
    depth: Depth = None,
    all_kinds: AllKinds = False,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[Lineage]:
    """Show what is made from what, down to the column.

    Beside each edge stand the columns that are read along it.

    Examples:
      assetflow lineage                              everything
      assetflow lineage orders                       one asset, up and down
      assetflow lineage orders.amount --all-kinds    one column, filters included
      assetflow lineage --format mermaid             a diagram for a page
    """
    from assetflow import api
    from assetflow.cli.opening import opened

    found = opened(project, environment)
    scope = LineageScope(_directions(up=up, down=down), depth, all_kinds)
    return Answer(
        api.lineage(found, select or ()),
        lambda value: _document(value, output, scope, found.root.name),
        lambda value: _page(value, output, scope, found.root.name),
    )


def _directions(*, up: bool, down: bool) -> tuple[Direction, ...]:
    if up == down:
        return ("up", "down")
    return ("up",) if up else ("down",)


def _document(lineage: Lineage, output: str, scope: LineageScope, namespace: str) -> object:
    """Return the document; it always has every kind of edge, each of which says its kind."""
    from assetflow.report.json_shapes import lineage_json
    from assetflow.report.lineage_scope import within
    from assetflow.report.openlineage import openlineage_events

    shown = within(lineage, replace(scope, all_kinds=True))
    if output == "openlineage":
        now = datetime.fromtimestamp(time.time(), UTC)
        return openlineage_events(shown, namespace, now)
    return lineage_json(shown)


def _page(lineage: Lineage, output: str, scope: LineageScope, namespace: str) -> object:
    from assetflow.report.diagrams import dot, mermaid
    from assetflow.report.json_shapes import as_text
    from assetflow.report.lineage_scope import within
    from assetflow.report.lineage_tree import lineage_tree

    match output:
        case "mermaid":
            return mermaid(within(lineage, scope))
        case "dot":
            return dot(within(lineage, scope))
        case "json" | "openlineage":
            return as_text(_document(lineage, output, scope, namespace))
    return lineage_tree(lineage, scope)


command = as_command(lineage)
