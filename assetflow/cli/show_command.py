"""`assetflow show`: all there is to say of one asset."""

from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.completion import complete_names
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import MAIN, Environment, Json, ProjectFolder
from assetflow.planning.pages import AssetPage

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="An asset or a source.", autocompletion=complete_names),
]
Code = Annotated[
    bool, typer.Option("--code", help="Show the query or the function's source as well.")
]


def show(
    name: Name,
    *,
    code: Code = False,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[AssetPage]:
    """Show one asset: columns, readers, materializations, what it reported, a sample.

    Examples:
      assetflow show revenue
      assetflow show revenue --code
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.asset_report import asset_report
    from assetflow.report.json_shapes import asset_page_json

    return Answer(
        api.show(opened(project, environment), name),
        asset_page_json,
        lambda page: asset_report(page, with_text=code),
    )


command = as_command(show)
