"""`assetflow repair`: make again the least that can make a failed check pass."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.materialize_command import EXIT_CODES, Threads, followed
from assetflow.cli.shared_options import (
    MAIN,
    Environment,
    Exclude,
    Json,
    Partition,
    ProjectFolder,
    Select,
    refuse_beside,
)
from assetflow.errors import NeedsOption, NothingToRepair, TwoChoices
from assetflow.planning.repair_pages import DeadLetterLine, RepairPage
from assetflow.planning.results import RunResult

if TYPE_CHECKING:
    from assetflow.api import Project

DeadLetters = tuple[DeadLetterLine, ...]

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show what would be made again and why, and make nothing."),
]
List = Annotated[
    bool, typer.Option("--list", help="Show the dead letters: what was tried in vain.")
]
Retry = Annotated[
    bool, typer.Option("--retry", help="Let the selected dead letters be tried again, from now on.")
]
Resolve = Annotated[
    bool, typer.Option("--resolve", help="Say that the selected dead letters are dealt with.")
]
Note = Annotated[
    str, typer.Option("--note", metavar="TEXT", help="What is to be remembered of it.")
]


def repair(
    context: typer.Context,
    select: Select = None,
    *,
    exclude: Exclude = None,
    partition: Partition = None,
    dry_run: DryRun = False,
    list_them: List = False,
    retry: Retry = False,
    resolve: Resolve = False,
    note: Note = "",
    threads: Threads = None,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[RunResult] | Answer[RepairPage] | Answer[DeadLetters]:
    """Make again the least that can make the failed checks pass, and ask them again.

    From the columns of a check it goes up the lineage to the nearest assets that can give
    other data: volatile ones, and what is stale. All else would give the same again, and is
    left alone. What was tried as often as the settings allow is a dead letter. Where nothing
    can be tried it says why, as --dry-run does, with exit code 1 if a check failed.

    Examples:
      assetflow repair --dry-run           what would be tried for each failed check
      assetflow repair orders              repair the checks of orders
      assetflow repair --list              the dead letters
      assetflow repair orders --retry      try again what was tried in vain
      assetflow repair orders --resolve --note "refunds, known since May"
    """
    from assetflow import api
    from assetflow.cli.opening import opened

    asked = _asked({"--list": list_them, "--retry": retry, "--resolve": resolve}, note)
    others = {"--exclude": exclude, "--partition": partition, "--threads": threads}
    if asked:
        refuse_beside(asked, {"--dry-run": dry_run, **others})
    found, wanted = opened(project, environment), select or ()
    if asked:
        return _letters(_dead_letters(found, wanted, asked, note))
    left, keys = exclude or (), partition or ()
    if dry_run:
        return _planned(api.repair_plan(found, wanted, exclude=left, partitions=keys))
    command = shlex.join(["assetflow", *context.obj["arguments"]])
    tried = partial(
        api.repair, found, wanted, exclude=left, partitions=keys, threads=threads, command=command
    )
    try:
        return _ended(tried() if as_json else followed(lambda one: tried(listener=one)))
    except NothingToRepair:
        page = api.repair_plan(found, wanted, exclude=left, partitions=keys)
        return replace(_planned(page), exit_code=int(bool(page.lines)))


def _asked(chosen: Mapping[str, bool], note: str) -> str:
    """Return which of `chosen` is asked of dead letters, "" if none is; at most one may be."""
    said = [option for option, is_said in chosen.items() if is_said]
    if len(said) > 1:
        raise TwoChoices(*said[:2])
    if note and said not in (["--retry"], ["--resolve"]):
        raise NeedsOption("--note", "--retry", "--resolve")
    return said[0] if said else ""


def _dead_letters(project: "Project", wanted: Sequence[str], asked: str, note: str) -> DeadLetters:
    """Do what is `asked` of dead letters, and return which it is about."""
    from assetflow import api

    if asked == "--retry":
        return api.retry_dead_letters(project, wanted, note=note)
    if asked == "--resolve":
        return api.resolve_dead_letters(project, wanted, note=note)
    return api.dead_letters(project, wanted)


def _letters(letters: DeadLetters) -> Answer[DeadLetters]:
    from assetflow.report.check_shapes import dead_letters_json
    from assetflow.report.repair_report import dead_letters_table

    return Answer(letters, dead_letters_json, dead_letters_table)


def _planned(page: RepairPage) -> Answer[RepairPage]:
    from assetflow.report.check_shapes import repair_json
    from assetflow.report.repair_report import repair_report

    return Answer(page, repair_json, repair_report)


def _ended(result: RunResult) -> Answer[RunResult]:
    from assetflow.report.json_shapes import run_result_json
    from assetflow.report.run_report import run_summary

    return Answer(result, run_result_json, run_summary, EXIT_CODES.get(result.status, 1))


command = as_command(repair)
