"""Options and arguments that several commands share, each with its one help text."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from assetflow.cli.completion import complete_names
from assetflow.errors import BadOptionValue, TwoChoices, did_you_mean


def whole_number(option: str) -> Callable[[str | int], int]:
    """Return what reads the value of `option`, or its default, as a number of at least one."""

    def read(given: str | int) -> int:
        text = str(given)
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise BadOptionValue(
                option, text, "a whole number, 1 or more", f"Write it like `{option} 4`."
            )
        return int(text)

    return read


def one_of(option: str, *words: str) -> Callable[[str], str]:
    """Return what reads the value of `option` as one of `words`."""

    def read(text: str) -> str:
        if text not in words:
            hint = did_you_mean(text, words, f"Write it like `{option} {words[0]}`.")
            raise BadOptionValue(option, text, " or ".join(_in_one(words)), hint)
        return text

    return read


def _in_one(words: tuple[str, ...]) -> list[str]:
    *others, last = words
    return [", ".join(others), last] if others else [last]


Select = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SELECT]...",
        help="What to select: orders, +orders, orders+, stg_*, tag:daily, group:marts, "
        "owner:team:x, kind:sql, path:shop/marts, status:stale. Several are a union, a comma "
        "inside one is an intersection.",
        show_default=False,
        autocompletion=complete_names,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="SELECT",
        help="Take away what SELECT selects; may be repeated.",
        show_default=False,
        autocompletion=complete_names,
    ),
]
Only = Annotated[
    bool, typer.Option("--only", help="Keep to the selection: leave its stale upstreams alone.")
]
Downstream = Annotated[
    bool, typer.Option("--downstream", help="Add everything that is made from the selection.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Run the selection even where nothing changed.")
]
Refresh = Annotated[
    bool, typer.Option("--refresh", help="Run the volatile assets of the selection again.")
]
OverdueOnly = Annotated[
    bool,
    typer.Option(
        "--overdue",
        help="Only the least that brings back what is older than its freshness policy allows.",
    ),
]
Within = Annotated[
    str | None,
    typer.Option(
        "--within",
        metavar="TIME",
        help="With --overdue: also what becomes too old within this time, such as 30m.",
        show_default=False,
    ),
]
Partition = Annotated[
    list[str] | None,
    typer.Option(
        "--partition",
        metavar="KEY",
        help="Only this partition, or with FROM..TO those from one to the other, both included; "
        "may be repeated.",
        show_default=False,
    ),
]
LatestPartition = Annotated[
    bool, typer.Option("--latest", help="Only the last partition of each asset that has some.")
]
MaxPartitions = Annotated[
    int | None,
    typer.Option(
        "--max-partitions",
        metavar="N",
        help="At most N partitions of an asset, the newest; what is left is said. Else as the "
        "settings say, where no partitions are named.",
        show_default=False,
        parser=whole_number("--max-partitions"),
    ),
]
FailOn = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        metavar="stale",
        help="Exit with 1 if something selected is stale, missing or unknown.",
        show_default=False,
        parser=one_of("--fail-on", "stale"),
    ),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say every reason, not only the headline.")
]
All = Annotated[bool, typer.Option("--all", help="Show every step, however many there are.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Newest = Annotated[
    int,
    typer.Option(
        "--limit",
        metavar="N",
        help="How many; 20 if not said.",
        show_default=False,
        parser=whole_number("--limit"),
    ),
]
ProjectFolder = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="DIR",
        help="The project's folder; else the nearest parent with settings, else ASSETFLOW_PROJECT.",
        show_default=False,
    ),
]
Environment = Annotated[
    str,
    typer.Option(
        "--env",
        metavar="NAME",
        help="The environment; else ASSETFLOW_ENV, else main.",
        envvar="ASSETFLOW_ENV",
        show_envvar=False,
        show_default=False,
    ),
]
MAIN = "main"

SHARED = frozenset({"--json", "--project", "--env", "--help"})
"""The options that nearly every command has; help shows them last."""


def refuse_beside(option: str, others: Mapping[str, object]) -> None:
    """Raise TwoChoices if one of `others` is given, beside which `option` means nothing."""
    for other, value in others.items():
        if value:
            raise TwoChoices(other, option)
