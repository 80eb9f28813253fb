"""`assetflow sql`: look into the data."""

import sys
from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.completion import complete_names
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import MAIN, Environment, Json, ProjectFolder, whole_number
from assetflow.errors import QueryOrAsset, TwoChoices
from assetflow.planning.pages import Rows

PAGE = 100
PREVIEW = 20

Query = Annotated[
    str,
    typer.Argument(
        metavar="[QUERY]",
        help="One query over the published assets, by their names; - reads it from standard input.",
        show_default=False,
    ),
]
AssetOption = Annotated[
    str,
    typer.Option(
        "--asset",
        metavar="NAME",
        help="Preview what this asset's query gives, also before it is materialized.",
        show_default=False,
        autocompletion=complete_names,
    ),
]
PartitionKey = Annotated[
    str | None,
    typer.Option(
        "--partition",
        metavar="KEY",
        help="The partition to preview; else the last.",
        show_default=False,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        help="At most N rows; else 100 of a query (all with --json), 20 of an asset.",
        show_default=False,
        parser=whole_number("--limit"),
    ),
]


def sql(
    query: Query = "",
    *,
    asset: AssetOption = "",
    partition: PartitionKey = None,
    limit: Limit = None,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[Rows]:
    """Run a query over the published assets, or preview one asset.

    Examples:
      assetflow sql "select count(*) from orders"
      assetflow sql --asset revenue --limit 5
      assetflow sql --json - < question.sql
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import rows_json
    from assetflow.report.rows_report import rows_report

    if bool(query) == bool(asset):
        raise QueryOrAsset(both=bool(query))
    if query and partition:
        raise TwoChoices("QUERY", "--partition")
    found = opened(project, environment)
    if asset:
        limit = limit or PREVIEW
        rows = api.preview(found, asset, limit, partition)
    else:
        limit = limit or (None if as_json else PAGE)
        rows = api.sql(found, sys.stdin.read() if query == "-" else query, limit)
    return Answer(rows, rows_json, lambda value: rows_report(value, limit=limit))


command = as_command(sql)
