"""`assetflow doctor`: what is wrong with the project, the state or the machine."""

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import Json, ProjectFolder
from assetflow.planning.pages import Finding


def doctor(
    *,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> Answer[tuple[Finding, ...]]:
    """Look over project, state folder and installation, and say what to mend.

    It works where nothing else does any more; exit code 1 says that something is broken.

    Examples:
      assetflow doctor
    """
    from assetflow import api
    from assetflow.report.json_shapes import findings_json
    from assetflow.report.listings import findings_report

    findings = api.doctor(project)
    is_broken = any(finding.status == "error" for finding in findings)
    return Answer(findings, findings_json, findings_report, int(is_broken))


command = as_command(doctor)
