"""`assetflow freshness`: how old the data is, against what its policies allow."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from assetflow.cli.answers import Answer
from assetflow.cli.help_text import as_command
from assetflow.cli.shared_options import (
    MAIN,
    Environment,
    Exclude,
    Json,
    ProjectFolder,
    Select,
    one_of,
)
from assetflow.errors import BadOptionValue, TwoChoices
from assetflow.planning.freshness_pages import FreshnessHistory, FreshnessPage

FAILS_ON = {"overdue": {"overdue"}, "due_soon": {"overdue", "due_soon"}}
"""With which states of an asset each value of --fail-on fails."""

RULED_OUT = {
    "--watch": ("--json", "--history", "--at"),
    "--history": ("SELECT", "--exclude", "--fail-on", "--all"),
}
"""Which options make no sense beside another."""

Watch = Annotated[
    bool, typer.Option("--watch", "-w", help="Look again every few seconds, until Ctrl-C.")
]
HistoryOf = Annotated[
    str,
    typer.Option(
        "--history",
        metavar="ASSET",
        help="How old one asset was over time, and how often it was fresh.",
        show_default=False,
    ),
]
FailOnAge = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        metavar="overdue",
        help="Exit with 1 if something selected is overdue; due_soon: or soon will be.",
        show_default=False,
        parser=one_of("--fail-on", *FAILS_ON),
    ),
]
Everything = Annotated[
    bool, typer.Option("--all", help="Show every line, also what has no policy.")
]


def _instant(text: str) -> datetime:
    """Return the instant that `text` says; without an offset it is in UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        hint = "Write it like `--at 2026-01-05T13:00`."
        raise BadOptionValue("--at", text, "an instant (UTC)", hint) from None


At = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="As it was known at an instant (UTC); nothing is looked at.",
        show_default=False,
        parser=_instant,
    ),
]


def freshness(
    select: Select = None,
    *,
    exclude: Exclude = None,
    watch: Watch = False,
    history: HistoryOf = "",
    at: At = None,
    fail_on: FailOnAge = None,
    everything: Everything = False,
    as_json: Json = False,
    project: ProjectFolder = None,
    environment: Environment = MAIN,
) -> Answer[FreshnessPage] | Answer[FreshnessHistory]:
    """Show how old the data is, against what its policies allow.

    The most urgent stands first, with the root that holds it back, and whether a run helps.

    Examples:
      assetflow freshness
      assetflow freshness group:marts --watch
      assetflow freshness --history daily_revenue
      assetflow freshness --fail-on overdue    for monitoring: 1 if data is too old
    """
    from assetflow import api
    from assetflow.cli.opening import opened
    from assetflow.report.freshness_report import freshness_report
    from assetflow.report.json_shapes import freshness_json

    given = {
        "--watch": watch,
        "--history": history,
        "--json": as_json,
        "--at": at,
        "--fail-on": fail_on,
        "--all": everything,
        "--exclude": exclude,
        "SELECT": select,
    }
    _check_together({option for option, value in given.items() if value})
    if history:
        return _history(api.freshness_history(opened(project, environment), history, at=at))
    shows_all = everything or bool(select)

    def look() -> FreshnessPage:
        found = opened(project, environment)
        return api.freshness(found, select or (), exclude or (), at=at)

    def page(value: FreshnessPage) -> object:
        return freshness_report(value, everything=shows_all)

    if watch:
        from assetflow.cli.terminal import terminal
        from assetflow.cli.watching import watch as follow

        value = follow(terminal(), look, lambda one: freshness_report(one, everything=shows_all))
    else:
        value = look()
    failing: Sequence[str] = [
        line.asset for line in value.lines if line.facts.status in FAILS_ON.get(fail_on or "", ())
    ]
    return Answer(value, freshness_json, page, int(bool(failing)))


def _check_together(given: Collection[str]) -> None:
    for option, others in RULED_OUT.items():
        for other in others:
            if option in given and other in given:
                raise TwoChoices(option, other)


def _history(found: FreshnessHistory) -> Answer[FreshnessHistory]:
    from assetflow.report.freshness_chart import freshness_chart
    from assetflow.report.json_shapes import freshness_history_json

    return Answer(found, freshness_history_json, freshness_chart)


command = as_command(freshness)
