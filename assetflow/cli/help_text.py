"""How --help reads: what the command does, examples, its options, the shared ones last.

The text is made here and not by the framework, so that it is the same with each of its
versions and costs no time.
"""

import inspect
import shutil
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup

from assetflow.cli.shared_options import SHARED
from assetflow.errors import ExtraArguments, UnknownCommand

WIDEST = 100
NARROWEST = 40
WIDEST_LABEL = 26
INDENT = "  "

Context: TypeAlias = Any
"""The framework's own context, whose class it does not export."""


class Parameter(Protocol):
    """What is asked of an option or argument of the framework."""

    param_type_name: str
    opts: list[str]
    help: str | None
    metavar: str | None
    hidden: bool


class HelpfulCommand(TyperCommand):
    """A command whose help text is made here, and that says what it has too much of."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read the arguments; those that are too many are named."""
        ctx.allow_extra_args = True
        try:
            extra = super().parse_args(ctx, args)
        except typer.BadParameter:
            raise
        except typer.TyperException as error:
            # The framework's parser does not say on which command it failed.
            error.ctx = ctx  # type: ignore[attr-defined]
            raise
        if extra and not ctx.resilient_parsing:
            raise ExtraArguments(extra, ctx.command_path)
        return extra

    def format_help(self, ctx: Context, formatter: Any) -> None:
        """Write the help text."""
        parameters = self.get_params(ctx)
        formatter.write(help_text(ctx.command_path, self.help or "", parameters, width()))


class HelpfulGroup(TyperGroup):
    """A group of commands whose help text is made here, and that knows what was meant."""

    default = ""
    """The command that is meant where none is named."""

    def format_help(self, ctx: Context, formatter: Any) -> None:
        """Write the help text."""
        commands, options = self.summaries(), self.get_params(ctx)
        formatter.write(group_text(ctx.command_path, self.help or "", commands, options))

    def summaries(self) -> list[tuple[str, str]]:
        """Return each command with its summary."""
        return [(name, summary(command.help or "")) for name, command in self.commands.items()]

    def resolve_command(self, ctx: Context, args: list[str]) -> Any:
        """Find the command that is named; the nearest names where there is none."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            raise UnknownCommand(args[0], ctx.command_path, names)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Put the default command where none is named."""
        if self.default and not {"--help", *self.commands}.intersection(args):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


class RunGroup(HelpfulGroup):
    """`run ID` is `run show ID`."""

    default = "show"


class PartitionsGroup(HelpfulGroup):
    """`partitions NAME` is `partitions list NAME`."""

    default = "list"


class EnvironmentGroup(HelpfulGroup):
    """`env` is `env list`."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """List the environments where nothing else is asked."""
        if not any(not arg.startswith("-") for arg in args) and "--help" not in args:
            args = ["list", *args]
        return super().parse_args(ctx, args)


def as_command(function: Callable[..., object]) -> TyperCommand:
    """Return a function as a command, with what its signature and docstring say."""
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    holder.command(cls=HelpfulCommand)(function)
    command = typer.main.get_command(holder)
    if not isinstance(command, TyperCommand):
        raise TypeError(function)
    return command


def as_group(holder: typer.Typer) -> TyperGroup:
    """Return several commands as one that groups them."""
    group = typer.main.get_command(holder)
    if not isinstance(group, TyperGroup):
        raise TypeError(holder)
    return group


def width() -> int:
    """Return how wide help is set: as the terminal, but no wider than reads well."""
    return max(NARROWEST, min(shutil.get_terminal_size().columns, WIDEST))


def summary(documented: str) -> str:
    """Return the first sentence of a docstring up to its colon or full stop.

    >>> summary("Show one asset: columns and more.")
    'Show one asset'
    """
    sentence = " ".join(inspect.cleandoc(documented).partition("\n\n")[0].split())
    return sentence.partition(":")[0].rstrip(".")


def help_text(path: str, documented: str, parameters: Iterable[Any], columns: int) -> str:
    """Return the help of one command."""
    found = [parameter for parameter in parameters if not parameter.hidden]
    arguments = [param for param in found if param.param_type_name == "argument"]
    options = [param for param in found if param.param_type_name != "argument"]
    own = [param for param in options if not SHARED.intersection(param.opts)]
    shared = [param for param in options if SHARED.intersection(param.opts)]
    names = [label(argument) for argument in arguments]
    blocks = [
        _usage([path, "[OPTIONS]", *names], columns),
        *_paragraphs(documented, columns),
        *_section("Arguments", arguments, columns),
        *_section("Options", own, columns),
        *_section("Shared options", shared, columns),
    ]
    return "\n\n".join(blocks) + "\n"


def group_text(
    path: str, documented: str, commands: Sequence[tuple[str, str]], parameters: Iterable[Any]
) -> str:
    """Return the help of a group of commands."""
    columns = width()
    options = [parameter for parameter in parameters if not parameter.hidden]
    blocks = [
        _usage([path, "[OPTIONS]", "COMMAND", "[ARGS]..."], columns),
        *_paragraphs(documented, columns),
        "\n".join(["Commands:", *_aligned(commands, columns)]),
        *_section("Options", options, columns),
    ]
    return "\n\n".join(blocks) + "\n"


def _usage(parts: Sequence[str], columns: int) -> str:
    return textwrap.fill(
        f"Usage: {' '.join(parts)}", columns, subsequent_indent=" " * len("Usage: ")
    )


def _paragraphs(documented: str, columns: int) -> Iterator[str]:
    """Yield each paragraph set to the width; one that is a list of examples stays as it is."""
    for paragraph in inspect.cleandoc(documented).split("\n\n"):
        if paragraph.startswith("Examples:"):
            yield paragraph
        elif paragraph:
            yield textwrap.fill(" ".join(paragraph.split()), columns)


def _section(title: str, parameters: Sequence[Parameter], columns: int) -> Iterator[str]:
    if parameters:
        rows = [(label(parameter), parameter.help or "") for parameter in parameters]
        yield "\n".join([f"{title}:", *_aligned(rows, columns)])


def label(parameter: Parameter) -> str:
    """Return how an option or argument is written: `--env NAME`, say."""
    if parameter.param_type_name == "argument":
        return parameter.metavar or parameter.opts[0].upper()
    names = ", ".join(sorted(parameter.opts, key=len))
    return f"{names} {parameter.metavar}" if parameter.metavar else names


def _aligned(rows: Sequence[tuple[str, str]], columns: int) -> Iterator[str]:
    """Yield rows of a label and its text, which starts below a label that is too wide."""
    widest = min(max(len(label) for label, _ in rows), WIDEST_LABEL)
    margin = " " * (len(INDENT) + widest + len(INDENT))
    for label, text in rows:
        lines = textwrap.wrap(text, max(columns - len(margin), NARROWEST // 2)) or [""]
        first = f"{INDENT}{label:<{widest}}{INDENT}"
        if len(label) > widest:
            yield f"{INDENT}{label}"
            first = margin
        yield f"{first}{lines[0]}".rstrip()
        yield from (f"{margin}{line}" for line in lines[1:])
