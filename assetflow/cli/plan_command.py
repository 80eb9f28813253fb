"""`assetflow plan`: what would be done, and why."""

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
    FailOn,
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
)
from assetflow.planning.steps import Plan

Diff = Annotated[
    bool,
    typer.Option(
        "--diff",
        help="Compute what each SQL step changes in columns and rows, against what is published.",
    ),
]
STALE = frozenset({"materialize", "may_materialize", "reuse", "blocked"})
"""What a plan does with assets whose published content does not follow from code and inputs."""


def plan(
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
    diff: Diff = False,
    fail_on: FailOn = None,
    verbose: Verbose = False,
    everything: All = False,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[Plan]:
    """Show what `materialize` would do, and why, without doing it.

    Examples:
      assetflow plan                         everything
      assetflow plan revenue --diff          what a changed query does to its rows
      assetflow plan --partition 2026-01-05  what one day needs
      assetflow plan --overdue               what the freshness policies need
      assetflow plan --fail-on stale         for CI: 1 if something is stale
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import plan_json
    from assetflow.report.plan_report import plan_report

    found = opened(project, environment)
    made = api.plan(
        found,
        select or (),
        exclude=exclude or (),
        only=only,
        downstream=downstream,
        force=force,
        refresh=refresh,
        partitions=partition or (),
        latest=latest,
        max_partitions=max_partitions,
        overdue=overdue,
        within=within,
    )
    diffs = api.plan_diff(found, made) if diff else None
    is_stale = any(step.action in STALE for step in made.steps)
    return Answer(
        made,
        lambda value: plan_json(value, diffs),
        lambda value: plan_report(value, verbose=verbose, everything=everything, diffs=diffs or ()),
        int(fail_on is not None and is_stale),
    )


command = as_command(plan)
