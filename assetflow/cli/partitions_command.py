"""`assetflow partitions`: keys of dynamic partitions, which come and go."""

from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import HelpfulCommand, PartitionsGroup, as_group
from assetflow.cli.shared_options import MAIN, Json, ProjectFolder
from assetflow.planning.pages import DynamicChange, DynamicKeys

Name = Annotated[
    str, typer.Argument(metavar="NAME", help='The name: that of partitions=dynamic("NAME").')
]
NameOrAll = Annotated[
    str,
    typer.Argument(
        metavar="[NAME]",
        help='The name: that of partitions=dynamic("NAME"); else all.',
        show_default=False,
    ),
]
Keys = Annotated[list[str], typer.Argument(metavar="KEY...", help="One or several keys.")]


def list_partitions(
    name: NameOrAll = "",
    *,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> Answer[tuple[DynamicKeys, ...]]:
    """List the keys of dynamic partitions, in the order in which they were added.

    Examples:
      assetflow partitions list
      assetflow partitions list shops
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.json_shapes import dynamic_keys_json
    from assetflow.report.listings import dynamic_keys_table

    found = api.partitions(opened(project, MAIN), name)
    return Answer(found, dynamic_keys_json, lambda lines: dynamic_keys_table(lines, name))


def add(
    name: Name,
    keys: Keys,
    *,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> Answer[DynamicChange]:
    """Add keys; the next run makes their partitions.

    Examples:
      assetflow partitions add shops berlin paris
    """
    from assetflow import api
    from assetflow.cli.opening import opened

    return _changed(api.add_partitions(opened(project, MAIN), name, keys))


def remove(
    name: Name,
    keys: Keys,
    *,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> Answer[DynamicChange]:
    """Remove keys; the next run of everything withdraws their partitions.

    Examples:
      assetflow partitions remove shops paris
    """
    from assetflow import api
    from assetflow.cli.opening import opened

    return _changed(api.remove_partitions(opened(project, MAIN), name, keys))


def _changed(change: DynamicChange) -> Answer[DynamicChange]:
    from assetflow.report.json_shapes import dynamic_change_json
    from assetflow.report.listings import dynamic_change_text

    return Answer(change, dynamic_change_json, dynamic_change_text)


partition_commands = typer.Typer(cls=PartitionsGroup, rich_markup_mode=None, add_completion=False)


@partition_commands.callback()
def partitions() -> None:
    """List, add and remove the keys of dynamic partitions.

    All environments share them. An asset can add keys too: context.add_partitions.

    Examples:
      assetflow partitions                      list all
      assetflow partitions shops                short for partitions list shops
      assetflow partitions add shops berlin     the next run makes it
      assetflow partitions remove shops berlin  the next run withdraws it
    """


partition_commands.command("list", cls=HelpfulCommand)(list_partitions)
for _command in (add, remove):
    partition_commands.command(_command.__name__, cls=HelpfulCommand)(_command)

command = as_group(partition_commands)
