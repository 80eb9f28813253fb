"""`assetflow init`: start a project."""

from pathlib import Path
from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import Json

Folder = Annotated[
    Path,
    typer.Argument(
        metavar="[DIR]", help="The folder to write to; it is made if need be.", show_default=False
    ),
]
PackageName = Annotated[
    str,
    typer.Option(
        "--name",
        metavar="NAME",
        help="The Python package that holds the assets; else named after the folder.",
        show_default=False,
    ),
]


def init(
    folder: Folder = Path(),
    *,
    name: PackageName = "",
    as_json: Json = False,
) -> Answer[tuple[Path, ...]]:
    """Start a project: settings, a source file, two SQL assets and a Python asset.

    Nothing is overwritten.

    Examples:
      assetflow init shop             in the new folder shop
      assetflow init . --name shop    here, with the package shop
    """
    from assetflow import api
    from assetflow.report.listings import written_files

    files = api.init(folder, name)
    shown = tuple(str(folder / file) for file in files)
    where = "" if folder == Path() else f"cd {folder} && "
    return Answer(
        files,
        lambda _: {"files": list(shown)},
        lambda _: written_files(shown, f"Make it all with `{where}assetflow materialize`."),
    )


command = as_command(init)
