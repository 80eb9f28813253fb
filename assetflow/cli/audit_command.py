"""`assetflow audit`: who did what, and whether the trail was touched."""

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import MAIN, Environment, Json, ProjectFolder
from assetflow.planning.pages import AuditResult


def audit(
    *,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[AuditResult]:
    """Verify the chain of events, and show the newest.

    Each event holds the hash of the one before; exit code 1 says that the chain is broken.

    Examples:
      assetflow audit
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import audit_json
    from assetflow.report.listings import audit_report

    result = api.audit(opened(project, environment))
    return Answer(result, audit_json, audit_report, int(not result.ok))


command = as_command(audit)
