"""`assetflow run`: one run, to look at or to cancel."""

from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import HelpfulCommand, RunGroup, as_group
from assetflow.cli.shared_options import MAIN, Environment, Json, ProjectFolder
from assetflow.planning.pages import RunPage

RunName = Annotated[
    str, typer.Argument(metavar="ID", help="The run, as `assetflow runs` lists it.")
]


def show_run(
    run: RunName,
    *,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[RunPage]:
    """Show one run: its steps with reasons, errors and what they printed.

    Examples:
      assetflow run 20260105-130411-3f2a
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import run_page_json
    from assetflow.report.run_report import run_page

    return Answer(api.run(opened(project, environment), run), run_page_json, run_page)


def cancel_run(
    run: RunName,
    *,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[str]:
    """Ask a run in another terminal to stop; what it completed is kept.

    Examples:
      assetflow run cancel 20260105-130411-3f2a
    """
    from assetflow import api
    from assetflow.cli.opening import opened

    api.cancel(opened(project, environment), run)
    return Answer(
        run,
        lambda name: {"run_id": name, "cancelled": True},
        lambda name: f"Run {name} was asked to stop.",
    )


run_commands = typer.Typer(cls=RunGroup, rich_markup_mode=None, add_completion=False)


@run_commands.callback()
def run() -> None:
    """Show one run, or cancel it.

    Examples:
      assetflow run 20260105-130411-3f2a           show it: short for run show
      assetflow run cancel 20260105-130411-3f2a    stop it from another terminal
    """


run_commands.command("show", cls=HelpfulCommand)(show_run)
run_commands.command("cancel", cls=HelpfulCommand)(cancel_run)

command = as_group(run_commands)
