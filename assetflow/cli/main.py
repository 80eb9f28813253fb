"""The command line: which commands there are, and how answers and errors leave."""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from threading import enumerate as enumerate_threads
from typing import Annotated, Any

import typer

from assetflow import __version__
from assetflow.cli.answers import Answer
from assetflow.cli.error_text import printed
from assetflow.cli.help_text import Context, HelpfulGroup, label
from assetflow.cli.streams import Write, discard_output, only_a_document, prepare_streams
from assetflow.errors import (
    AssetflowError,
    BadCommandLine,
    MissingArgument,
    OptionNeedsValue,
    UnknownOption,
)

INTERRUPTED = 130
GARBAGE_THRESHOLD = 20_000
LEFT_BEHIND = "assetflow "
"""How the names of threads begin that a timed-out step was left on."""

COMMANDS = {
    "init": "Start a project",
    "ls": "List the assets and sources that the project declares",
    "plan": "Show what `materialize` would do, and why, without doing it",
    "materialize": "Bring assets up to date",
    "lineage": "Show what is made from what, down to the column",
    "show": "Show one asset",
    "status": "Show how assets stand",
    "freshness": "Show how old the data is, against what its policies allow",
    "check": "Ask the checks of what is published, and of what was rejected since",
    "repair": "Make again the least that can make the failed checks pass, and ask them again",
    "runs": "List the runs, the newest first",
    "run": "Show one run, or cancel it",
    "sql": "Run a query over the published assets, or preview one asset",
    "partitions": "List, add and remove the keys of dynamic partitions",
    "env": "Work with environments",
    "gc": "Remove versions that no environment has shown for the retention",
    "audit": "Verify the chain of events, and show the newest",
    "doctor": "Look over project, state folder and installation, and say what to mend",
}
"""Every command, in the order in which it is met, and its summary.

A command's module is loaded when it is named; that the summaries are those of the
modules is held by a test.
"""


class MainGroup(HelpfulGroup):
    """All commands, each loaded when it is named."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Any:
        """Load the command that is named; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        return import_module(f"assetflow.cli.{cmd_name}_command").command

    def summaries(self) -> list[tuple[str, str]]:
        """Return the summaries, without loading a command."""
        return list(COMMANDS.items())


app = typer.Typer(cls=MainGroup, rich_markup_mode=None, pretty_exceptions_enable=False)


def _print_version(is_asked: bool) -> None:  # noqa: FBT001 - called by the framework
    if is_asked:
        typer.echo(f"assetflow {__version__}")
        raise typer.Exit


@app.callback()
def assetflow(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Declare tables and files; assetflow makes the least that brings them up to date.

    Examples:
      assetflow init shop         start a project
      assetflow plan              what is stale, and why
      assetflow materialize       bring it up to date
      assetflow COMMAND --help    what a command does, with examples
    """


def main() -> None:
    """Run the command line of this process."""
    prepare_streams()
    # A command makes many small values that live as long as it does: looking for garbage
    # among them again and again costs a tenth of the time, and finds none.
    gc.set_threshold(GARBAGE_THRESHOLD)
    code = run(sys.argv[1:])
    if any(thread.daemon and thread.name.startswith(LEFT_BEHIND) for thread in enumerate_threads()):
        # A step that timed out, or was ended, may go on for ever, with DuckDB in its hands.
        with suppress(BrokenPipeError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return its exit code."""
    given = list(arguments) or ["--help"]
    if not asks_for_document(given):
        return _carry_out(given, None)
    with only_a_document() as write:
        return _carry_out(given, write)


def asks_for_document(arguments: Sequence[str]) -> bool:
    """Whether one JSON document is asked for, be the rest of the arguments right or wrong."""
    before = list(arguments)
    if "--" in before:
        before = before[: before.index("--")]
    return "--json" in before and "--help" not in before


def _carry_out(arguments: list[str], write: Write | None) -> int:
    try:
        answer = _answer(arguments)
        if not isinstance(answer, Answer):
            return answer if isinstance(answer, int) else 0
        _deliver(answer, write)
    except AssetflowError as error:
        _say(error, write)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return answer.exit_code


def _answer(arguments: list[str]) -> object:
    """Return what the command answers, or an exit code; usage errors as errors of ours."""
    try:
        return app(
            args=arguments,
            prog_name="assetflow",
            standalone_mode=False,
            obj={"arguments": arguments},
        )
    except typer.TyperException as error:
        raise usage_error(error) from None
    except typer.Abort:
        return INTERRUPTED
    except SystemExit as error:
        # So the framework ends where nobody reads its help: that is no failure.
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        discard_output()
        return 0


def usage_error(error: typer.TyperException) -> AssetflowError:
    """Return a usage error of the framework as one that reads like all others."""
    context = getattr(error, "ctx", None)
    if context is None:
        return BadCommandLine(error.format_message(), "assetflow")
    command: str = context.command_path
    parameters = context.command.get_params(context)
    if hasattr(error, "option_name"):
        return _option_error(error.option_name, parameters, command)
    if isinstance(error, typer.BadParameter) and error.param is not None and not error.message:
        missing: Any = error.param
        return MissingArgument(label(missing), missing.help or "", command)
    return BadCommandLine(error.format_message(), command)


def _option_error(option: str, parameters: Sequence[Any], command: str) -> AssetflowError:
    """Return what is wrong with `option`: it is unknown, or has no value, or one too many."""
    for parameter in parameters:
        if option in parameter.opts:
            written = f"{option} {parameter.metavar}" if parameter.metavar else option
            return OptionNeedsValue(option, written, parameter.help or "", command)
    return UnknownOption(option, command, [name for one in parameters for name in one.opts])


def _deliver(answer: Answer[Any], write: Write | None) -> None:
    if write is None:
        from assetflow.cli.terminal import print_page

        print_page(answer.page(answer.value))
    else:
        from assetflow.report.json_shapes import as_text

        write(f"{as_text(answer.document(answer.value))}\n")


def _say(error: AssetflowError, write: Write | None) -> None:
    if write is None:
        sys.stderr.write(f"{printed(error, sys.stderr)}\n")
    else:
        from assetflow.report.json_shapes import as_text, error_json

        write(f"{as_text(error_json(error.as_json()))}\n")
