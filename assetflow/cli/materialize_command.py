"""`assetflow materialize`: bring assets up to date."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.plan_command import plan
from assetflow.cli.shared_options import (
    MAIN,
    All,
    Downstream,
    Environment,
    Exclude,
    Force,
    Json,
    LatestPartition,
    MaxPartitions,
    Only,
    OverdueOnly,
    Partition,
    ProjectFolder,
    Refresh,
    Select,
    Verbose,
    Within,
    whole_number,
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
        help="How many steps may run at once; else as the settings say.",
        show_default=False,
        parser=whole_number("--threads"),
    ),
]
EXIT_CODES = {"succeeded": 0, "failed": 1, "unpublished": 1, "interrupted": 130}


class Asked(TypedDict):
    """What a plan and a run are asked for alike, beside the selection."""

    exclude: list[str]
    only: bool
    downstream: bool
    force: bool
    refresh: bool
    latest: bool
    max_partitions: int | None
    overdue: bool
    within: str | None


class Shown(TypedDict):
    """How much of a plan is shown."""

    verbose: bool
    everything: bool


class Where(TypedDict):
    """Where the command works."""

    project: Path | None
    environment: str


class How(TypedDict):
    """How a run goes about it, with which partitions, and the command that it is known by."""

    partitions: list[str]
    fail_fast: bool
    threads: int | None
    command: str


def materialize(
    context: typer.Context,
    select: Select = None,
    *,
    exclude: Exclude = None,
    only: Only = False,
    downstream: Downstream = False,
    force: Force = False,
    refresh: Refresh = False,
    partition: Partition = None,
    latest: LatestPartition = False,
    max_partitions: MaxPartitions = None,
    overdue: OverdueOnly = False,
    within: Within = None,
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
      assetflow materialize --latest             the last partition of each asset
      assetflow materialize orders --partition 2026-01-05..2026-01-31
      assetflow materialize revenue              revenue and what it is made from
      assetflow materialize orders --downstream  orders and all that follows
      assetflow materialize tag:daily --refresh  look for newer data too
      assetflow materialize --overdue --within 30m
    """
    asked = Asked(
        exclude=exclude or [],
        only=only,
        downstream=downstream,
        force=force,
        refresh=refresh,
        latest=latest,
        max_partitions=max_partitions,
        overdue=overdue,
        within=within,
    )
    if dry_run:
        shown = Shown(verbose=verbose, everything=everything)
        where = Where(project=project, environment=environment)
        return plan(select, **asked, partition=partition, **shown, **where)
    said = shlex.join(["assetflow", *context.obj["arguments"]])
    how = How(partitions=partition or [], fail_fast=fail_fast, threads=threads, command=said)
    return _carried_out(select or [], asked, how, (project, environment), is_shown=not as_json)


def _carried_out(
    select: list[str],
    asked: Asked,
    how: How,
    where: tuple[Path | None, str],
    *,
    is_shown: bool,
) -> Answer[RunResult]:
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import run_result_json
    from assetflow.report.run_report import run_summary

    def carry_out(listener: Listener) -> RunResult:
        return api.materialize(opened(*where), select, **asked, **how, listener=listener)

    result = followed(carry_out) if is_shown else carry_out(Silent())
    return Answer(result, run_result_json, run_summary, EXIT_CODES.get(result.status, 1))


def followed(carry_out: Callable[[Listener], RunResult]) -> RunResult:
    """Return what `carry_out` comes to, while it is shown."""
    from assetflow.cli.live_view import following
    from assetflow.cli.terminal import terminal

    with following(terminal()) as listener:
        return carry_out(listener)


command = as_command(materialize)
