"""`assetflow runs`: the runs that were."""

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import MAIN, Environment, Json, Newest, ProjectFolder
from assetflow.planning.pages import RunLine


def runs(
    *,
    limit: Newest = 20,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[tuple[RunLine, ...]]:
    """List the runs, the newest first.

    Examples:
      assetflow runs
      assetflow runs --limit 100
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import runs_json
    from assetflow.report.run_report import runs_table

    return Answer(api.runs(opened(project, environment), limit), runs_json, runs_table)


command = as_command(runs)
