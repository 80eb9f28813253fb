"""`assetflow status`: how assets stand."""

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import (
    MAIN,
    Environment,
    Exclude,
    FailOn,
    Json,
    ProjectFolder,
    Select,
)
from assetflow.planning.results import AssetStatus

NOT_KNOWN_TO_BE_RIGHT = frozenset({"stale", "missing", "unknown"})


def status(
    select: Select = None,
    *,
    exclude: Exclude = None,
    fail_on: FailOn = None,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[tuple[AssetStatus, ...]]:
    """Show how assets stand: is the content right, is it recent, did its checks pass.

    What needs attention stands first, with the cause.

    Examples:
      assetflow status
      assetflow status group:marts
      assetflow status --fail-on stale    for CI: exit with 1 if something is stale
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import status_json
    from assetflow.report.status_report import status_report

    statuses = api.status(opened(project, environment), select or (), exclude or ())
    is_stale = any(found.sync in NOT_KNOWN_TO_BE_RIGHT for found in statuses)
    return Answer(statuses, status_json, status_report, int(fail_on is not None and is_stale))


command = as_command(status)
