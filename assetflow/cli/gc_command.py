"""`assetflow gc`: remove what nothing shows any more."""

from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import MAIN, Environment, Json, ProjectFolder
from assetflow.errors import BadOptionValue
from assetflow.model.durations import find_seconds
from assetflow.planning.pages import GcResult

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")
]
Retention = Annotated[
    str,
    typer.Option(
        "--retention",
        metavar="SPAN",
        help="How long a version is kept after nothing shows it any more: 7d, 12h; at least an "
        "hour, else as the settings say.",
        show_default=False,
    ),
]


def gc(
    *,
    dry_run: DryRun = False,
    retention: Retention = "",
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[GcResult]:
    """Remove versions that no environment has shown for the retention.

    Examples:
      assetflow gc --dry-run
      assetflow gc --retention 1d
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import gc_json
    from assetflow.report.listings import gc_text

    seconds = _seconds(retention) if retention else None
    found = opened(project, environment)
    return Answer(api.gc(found, dry_run=dry_run, retention_seconds=seconds), gc_json, gc_text)


def _seconds(text: str) -> float:
    seconds = find_seconds(text)
    if seconds is None:
        expected = "a span of an hour or more, such as 12h, 7d or 1d12h"
        raise BadOptionValue("--retention", text, expected, "Write it like `--retention 7d`.")
    return seconds


command = as_command(gc)
