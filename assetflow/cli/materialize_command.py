"""`assetflow materialize`: bring assets up to date."""

import shlex
from collections.abc import Callable
from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import (
    MAIN,
    All,
    Downstream,
    Environment,
    Exclude,
    Force,
    Json,
    Only,
    ProjectFolder,
    Refresh,
    Select,
    Verbose,
)
from assetflow.planning.listener import Listener, Silent
from assetflow.planning.results import RunResult
from assetflow.planning.steps import Plan

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the plan and stop: the same as `assetflow plan`.")
]
FailFast = Annotated[
    bool, typer.Option("--fail-fast", help="Stop at the first failure, not only downstream of it.")
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        min=1,
        help="How many steps may run at once; else as the settings say.",
        show_default=False,
    ),
]
EXIT_CODES = {"succeeded": 0, "failed": 1, "unpublished": 1, "interrupted": 130}


def materialize(
    context: typer.Context,
    select: Select = None,
    *,
    exclude: Exclude = None,
    only: Only = False,
    downstream: Downstream = False,
    force: Force = False,
    refresh: Refresh = False,
    dry_run: DryRun = False,
    fail_fast: FailFast = False,
    threads: Threads = None,
    verbose: Verbose = False,
    everything: All = False,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[RunResult] | Answer[Plan]:
    """Bring assets up to date: the selection, and whatever upstream of it is stale.

    Only what is stale runs, and nothing below a result that came out the same. All results
    are published at once, at the end; where a step fails, what is already published stays.

    Examples:
      assetflow materialize                      everything
      assetflow materialize revenue              revenue and what it is made from
      assetflow materialize orders --downstream  orders and all that follows
      assetflow materialize tag:daily --refresh  look for newer data too
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.cli.plan_command import plan
    from assetflow.report.json_shapes import run_result_json
    from assetflow.report.run_report import run_summary

    if dry_run:
        return plan(
            select,
            exclude=exclude,
            only=only,
            downstream=downstream,
            force=force,
            refresh=refresh,
            verbose=verbose,
            everything=everything,
            project=project,
            environment=environment,
        )

    def carry_out(listener: Listener) -> RunResult:
        return api.materialize(
            opened(project, environment),
            select or (),
            exclude=exclude or (),
            only=only,
            downstream=downstream,
            force=force,
            refresh=refresh,
            fail_fast=fail_fast,
            threads=threads,
            listener=listener,
            command=shlex.join(["assetflow", *context.obj["arguments"]]),
        )

    result = carry_out(Silent()) if as_json else _shown(carry_out)
    return Answer(result, run_result_json, run_summary, EXIT_CODES.get(result.status, 1))


def _shown(carry_out: Callable[[Listener], RunResult]) -> RunResult:
    from assetflow.cli.live_view import following
    from assetflow.cli.terminal import terminal

    with following(terminal()) as listener:
        return carry_out(listener)


command = as_command(materialize)
