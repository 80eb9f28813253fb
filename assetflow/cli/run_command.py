"""`assetflow run`: one run, to look at or to cancel."""

from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import HelpfulCommand, RunGroup, as_group
from assetflow.cli.shared_options import MAIN, All, Environment, Json, ProjectFolder
from assetflow.model.names import RunId
from assetflow.planning.pages import RunPage

RunName = Annotated[
    str, typer.Argument(metavar="ID", help="The run, by its id or the beginning of it.")
]


Now = Annotated[
    bool, typer.Option("--now", help="End the steps that run, too, instead of waiting for them.")
]
Output = Annotated[bool, typer.Option("--output", help="Show what each step printed.")]


def show_run(
    run: RunName,
    *,
    output: Output = False,
    everything: All = False,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[RunPage]:
    """Show one run: its steps with reasons, errors and what they printed.

    Examples:
      assetflow run 18ea5184             steps and errors
      assetflow run 18ea5184 --output    what the steps printed, too
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import run_page_json
    from assetflow.report.run_report import run_page

    return Answer(
        api.run(opened(project, environment), run),
        run_page_json,
        lambda page: run_page(page, everything=everything, with_output=output),
    )


def cancel_run(
    run: RunName,
    *,
    now: Now = False,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[RunId]:
    """Ask a run in another terminal to stop; what it completed is kept.

    Examples:
      assetflow run cancel 18ea5184          it begins nothing more
      assetflow run cancel 18ea5184 --now    it ends what runs, too
    """
    from assetflow import api
    from assetflow.cli.opening import opened

    found = opened(project, environment)
    name = api.run(found, run).line.run_id
    api.cancel(found, name, at_once=now)
    how = "at once" if now else "when the steps that run are done"
    return Answer(
        name,
        lambda stopped: {"run_id": stopped, "cancelled": True, "now": now},
        lambda stopped: f"Run {stopped} was asked to stop {how}.",
    )


run_commands = typer.Typer(cls=RunGroup, rich_markup_mode=None, add_completion=False)


@run_commands.callback()
def run() -> None:
    """Show one run, or cancel it.

    Examples:
      assetflow run 18ea5184           show it: short for run show
      assetflow run cancel 18ea5184    stop it from another terminal
    """


run_commands.command("show", cls=HelpfulCommand)(show_run)
run_commands.command("cancel", cls=HelpfulCommand)(cancel_run)

command = as_group(run_commands)
