"""`assetflow env`: environments, each a set of pointers to published versions."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import EnvironmentGroup, HelpfulCommand, as_group
from assetflow.cli.shared_options import MAIN, Json, Newest, ProjectFolder
from assetflow.errors import BadMoment
from assetflow.planning.pages import EnvironmentLine, PublicationLine, PublicationSummary

EnvironmentName = Annotated[str, typer.Argument(metavar="NAME", help="The environment.")]
EnvironmentOrMain = Annotated[
    str, typer.Argument(metavar="[NAME]", help="The environment; else main.", show_default=False)
]
From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="NAME",
        help="The environment to start from; else main.",
        show_default=False,
    ),
]
To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="NAME",
        help="The environment to publish in; else main.",
        show_default=False,
    ),
]
Moment = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="MOMENT",
        help="An instant (UTC), or a number of `env history`; else before the last one.",
        show_default=False,
    ),
]


def list_environments(
    *,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> Answer[tuple[EnvironmentLine, ...]]:
    """List the environments.

    Examples:
      assetflow env list
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import environments_json
    from assetflow.report.listings import environments_table

    return Answer(api.environments(opened(project, MAIN)), environments_json, environments_table)


def create(
    name: EnvironmentName,
    *,
    source: From = MAIN,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> Answer[PublicationSummary]:
    """Make an environment that shows what another shows; nothing is computed or copied.

    Examples:
      assetflow env create dev
      assetflow materialize --env dev
    """
    from assetflow import api
    from assetflow.cli.opening import opened

    return _moved(api.create_environment(opened(project, MAIN), name, source))


def promote(
    name: EnvironmentName,
    *,
    target: To = MAIN,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> Answer[PublicationSummary]:
    """Publish in main, or in another environment, what an environment shows.

    Examples:
      assetflow env promote dev
    """
    from assetflow import api
    from assetflow.cli.opening import opened

    return _moved(api.promote_environment(opened(project, MAIN), name, target))


def rollback(
    name: EnvironmentName,
    *,
    to: Moment = "",
    as_json: Json = False,
    project: ProjectFolder = None,
) -> Answer[PublicationSummary]:
    """Publish again what an environment showed before.

    Examples:
      assetflow env rollback main
      assetflow env rollback main --to 3    a number of `assetflow env history`
      assetflow env rollback main --to 2026-01-05T13:00
    """
    from assetflow import api
    from assetflow.cli.opening import opened

    return _moved(api.rollback_environment(opened(project, MAIN), name, _moment(to)))


def delete(
    name: EnvironmentName,
    *,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> Answer[PublicationSummary]:
    """Delete an environment; versions that nothing shows are kept for the retention.

    Examples:
      assetflow env delete dev
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import publication_json
    from assetflow.report.listings import deletion_text

    summary = api.delete_environment(opened(project, MAIN), name)
    return Answer(summary, publication_json, deletion_text)


def history(
    name: EnvironmentOrMain = MAIN,
    *,
    limit: Newest = 20,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> Answer[tuple[PublicationLine, ...]]:
    """List what was published in an environment, the newest first: where rollback can go.

    Examples:
      assetflow env history
      assetflow env history dev --limit 100
      assetflow env rollback main --to 3    back to what publication 3 showed
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import publications_json
    from assetflow.report.listings import publications_table

    lines = api.publications(opened(project, name), limit)
    return Answer(lines, publications_json, lambda found: publications_table(found, name))


def _moved(summary: PublicationSummary) -> Answer[PublicationSummary]:
    from assetflow.report.json_shapes import publication_json
    from assetflow.report.listings import publication_text

    return Answer(summary, publication_json, publication_text)


def _moment(text: str) -> datetime | int | None:
    """Return the moment that `text` says: a publication's number, or an instant in UTC."""
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadMoment(text) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


env_commands = typer.Typer(cls=EnvironmentGroup, rich_markup_mode=None, add_completion=False)


@env_commands.callback()
def env() -> None:
    """Work with environments: named sets of pointers to published versions.

    All share one store of versions, so that a new one starts without computing anything.

    Examples:
      assetflow env                   list them: short for env list
      assetflow env create dev        as main is now
      assetflow plan --env dev        what to do there
      assetflow env promote dev       publish in main what dev shows
      assetflow env history           what was published in main, and when
      assetflow env rollback main     take back what was published last
    """


env_commands.command("list", cls=HelpfulCommand)(list_environments)
for _command in (create, promote, history, rollback, delete):
    env_commands.command(_command.__name__, cls=HelpfulCommand)(_command)

command = as_group(env_commands)
