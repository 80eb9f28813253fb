"""`assetflow check`: do the data keep what was promised of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.completion import complete_names
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import (
    MAIN,
    Environment,
    Exclude,
    Json,
    LatestPartition,
    Partition,
    ProjectFolder,
    Select,
    one_of,
    refuse_beside,
)
from assetflow.errors import FileNotWritable
from assetflow.planning.check_pages import ChecksPage, ProposalsPage

Rows = Annotated[
    bool,
    typer.Option("--rows", help="Show the failing rows that were kept, and the queries behind."),
]
All = Annotated[bool, typer.Option("--all", help="Show every check, however many passed.")]
Force = Annotated[
    bool, typer.Option("--force", help="Ask every check again, also where nothing changed.")
]
Suggest = Annotated[
    str,
    typer.Option(
        "--suggest",
        metavar="ASSET",
        help="Instead, print checks that what is published of ASSET passes, ready to be pasted.",
        show_default=False,
        autocompletion=complete_names,
    ),
]
JunitFile = Annotated[
    Path | None,
    typer.Option(
        "--junit", metavar="FILE", help="Write the results as JUnit XML too.", show_default=False
    ),
]
SarifFile = Annotated[
    Path | None,
    typer.Option(
        "--sarif", metavar="FILE", help="Write what did not pass as SARIF too.", show_default=False
    ),
]
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on",
        metavar="STATUS",
        help="Exit with 1 if a check failed: failed, the default. Also if one warned: warned.",
        show_default=False,
        parser=one_of("--fail-on", "failed", "warned"),
    ),
]


def check(
    select: Select = None,
    *,
    exclude: Exclude = None,
    partition: Partition = None,
    latest: LatestPartition = False,
    force: Force = False,
    rows: Rows = False,
    everything: All = False,
    suggest: Suggest = "",
    junit: JunitFile = None,
    sarif: SarifFile = None,
    fail_on: FailOn = "failed",
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[ChecksPage] | Answer[ProposalsPage]:
    """Ask the checks of what is published, and of what was rejected since.

    What was asked before of the same data is carried over. Exit code 1 says that a check of
    severity error failed, or could not be asked.

    Examples:
      assetflow check                     all checks, what failed first
      assetflow check orders --rows       and the rows that failed
      assetflow check --suggest orders    checks that orders passes, to be declared
      assetflow check --junit checks.xml  for CI, which shows checks as tests
      assetflow check --fail-on warned    for CI: exit with 1 if a check warned, too
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.check_report import check_report
    from assetflow.report.check_shapes import checks_json

    if suggest:
        others: dict[str, object] = {"SELECT": select, "--exclude": exclude}
        others |= {"--partition": partition, "--latest": latest, "--force": force}
        others |= {"--rows": rows, "--all": everything, "--junit": junit, "--sarif": sarif}
        refuse_beside("--suggest", {**others, "--fail-on": fail_on != "failed"})
        return _proposed(api.suggest(opened(project, environment), suggest))
    found = opened(project, environment)
    page = api.check(
        found,
        select or (),
        exclude=exclude or (),
        partitions=partition or (),
        latest=latest,
        force=force,
    )
    for option, path, text in _files(page, junit, sarif):
        _write(option, path, text)
    return Answer(
        page,
        checks_json,
        lambda value: check_report(value, everything=everything, with_rows=rows),
        int(page.has_failed or (fail_on == "warned" and page.has_warned)),
    )


def _proposed(page: ProposalsPage) -> Answer[ProposalsPage]:
    from assetflow.report.check_shapes import proposals_json
    from assetflow.report.proposals_text import proposals_text

    return Answer(page, proposals_json, proposals_text)


def _files(
    page: ChecksPage, junit: Path | None, sarif: Path | None
) -> Iterator[tuple[str, Path, str]]:
    """Yield each file that was asked for: its option, its path, its text."""
    if junit is not None:
        from assetflow.report.junit import junit_xml

        yield "--junit", junit, junit_xml(page)
    if sarif is not None:
        from assetflow import __version__
        from assetflow.report.json_shapes import as_text
        from assetflow.report.sarif import sarif_json

        yield "--sarif", sarif, f"{as_text(sarif_json(page, __version__))}\n"


def _write(option: str, path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise FileNotWritable(option, path, error.strerror or str(error)) from None


command = as_command(check)
