"""Checks as a table: a line for each, what failed first."""

import math
from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from assetflow.model.checks import Severity
from assetflow.planning.check_pages import CheckLine, CheckOutcome, CheckPoint
from assetflow.quality.answers import CheckStatus
from assetflow.quality.findings import added_up, observed
from assetflow.report.check_order import UNMET, urgency
from assetflow.report.palette import ROOMY, Listing, Name, columns, faint, state
from assetflow.report.partition_ranges import UNDIVIDED, Alike, Keys, grouped
from assetflow.report.sparklines import sparkline

MOST_POINTS = 10
TOGETHER = "all together"
"""What a check was asked of that is about all partitions as one."""
CARRIED_OVER, REJECTED = "*", "†"
LEGENDS = {
    REJECTED: "of a version that was rejected, which readers do not see",
    CARRIED_OVER: "carried over: what it reads is the same",
}
MARKS: dict[CheckStatus, str] = {
    "passed": "·",
    "learning": "?",
    "warned": "!",
    "failed": "✗",
    "errored": "✗",
}
"""What stands for a status in a history without numbers."""

AlikeChecks = Alike[CheckLine]
"""One check of an asset, of the partitions in which it came out alike."""


def by_urgency(lines: Iterable[CheckLine], keys: Keys) -> list[AlikeChecks]:
    """Return `lines` as groups that came out alike, what failed first, else as they come."""
    groups = grouped(lines, lambda line: line.target, _said, keys)
    return sorted(groups, key=lambda group: urgency(group.members[0].outcome))


def _said(line: CheckLine) -> tuple[str, CheckStatus, Severity, bool]:
    outcome = line.outcome
    return outcome.check, outcome.status, outcome.severity, line.is_published


class ChecksTable:
    """A table of checks; on a narrow terminal what belongs together shares a column.

    `of_one_asset`: its name is left to what stands around the table.
    """

    def __init__(self, groups: Sequence[AlikeChecks], *, of_one_asset: bool = False) -> None:
        self.groups, self.of_one_asset = groups, of_one_asset
        self.has_ranges = any(group.ranges for group in groups)
        self.has_past = any(_over_time(group).plain for group in groups)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._wide() if options.max_width >= ROOMY else self._narrow()
        marks = {mark for group in self.groups for mark in _marks(group)}
        for mark, meaning in LEGENDS.items():
            if mark in marks:
                yield faint(f"{mark} {meaning}")

    def _wide(self) -> Listing:
        assets = [] if self.of_one_asset else ["asset"]
        slices = ["partitions"] if self.has_ranges else []
        titles = [*assets, "check", *slices, "observed", "allowed"]
        table = self._table(titles)
        for group in self.groups:
            name = [] if self.of_one_asset else [Name(group.asset)]
            cells: list[RenderableType] = [*name, Name(group.members[0].outcome.check)]
            self._add(table, group, cells, [Text(_observed(group)), Text(_allowed(group))])
        return table

    def _narrow(self) -> Listing:
        slices = ["partitions"] if self.has_ranges else []
        table = self._table(["check", *slices, "found (allowed)"])
        for group in self.groups:
            check = group.members[0].outcome.check
            name = Name(check if self.of_one_asset else f"{group.asset}: {check}")
            self._add(table, group, [name], [Text(_in_short(group))])
        return table

    def _table(self, titles: Sequence[str]) -> Listing:
        folds = ["partitions", "observed", "allowed", "found (allowed)"]
        past = ["over time"] if self.has_past else []
        return columns(["status", *titles, *past], folds=folds)

    def _add(
        self,
        table: Listing,
        group: AlikeChecks,
        names: Sequence[RenderableType],
        found: Sequence[RenderableType],
    ) -> None:
        status = outcome_state(group.members[0].outcome).append("".join(_marks(group)), style="dim")
        slices = [slices_of(group)] if self.has_ranges else []
        past = [_over_time(group)] if self.has_past else []
        table.add_row(status, *names, *slices, *found, *past)


def slices_of(group: AlikeChecks) -> str:
    """Return of which partitions a check was asked, "" of an asset without."""
    return TOGETHER if group.ranges == (UNDIVIDED,) else group.partitions


def _marks(group: AlikeChecks) -> list[str]:
    is_carried_over = all(line.outcome.carried_over for line in group.members)
    is_rejected = not group.members[0].is_published
    return [*([REJECTED] if is_rejected else []), *([CARRIED_OVER] if is_carried_over else [])]


def outcome_state(outcome: CheckOutcome) -> Text:
    """Return the status in its colour: what only warns is not red, even if it broke."""
    text = state(outcome.status)
    if outcome.status == "errored" and outcome.severity == "warn":
        text.style = "yellow"
    return text


def _observed(group: AlikeChecks) -> str:
    """Return what was found; of several partitions their sum, else the worst and where it is."""
    answers = [line.outcome.answer for line in group.members]
    together = added_up(answers) if len(answers) > 1 else None
    if together is not None:
        return together.observed
    texts = {observed(answer) for answer in answers}
    if len(texts) == 1:
        return texts.pop()
    if answers[0].status not in UNMET:
        return ""
    worst = max(group.members, key=lambda line: line.outcome.answer.failures or 0)
    return f"{observed(worst.outcome.answer)} in {worst.partition}"


def _in_short(group: AlikeChecks) -> str:
    """Return what was observed, and what is allowed where that matters: unless it passed."""
    found, allowed = _observed(group), _allowed(group)
    is_asked = allowed and not (found and group.members[0].outcome.status == "passed")
    return f"{found} ({allowed})".strip() if is_asked else found


def _allowed(group: AlikeChecks) -> str:
    """Return the bounds; of a check that is learning, what is still missing."""
    answers = [line.outcome.answer for line in group.members]
    is_learning = answers[0].status == "learning"
    texts = {answer.message if is_learning else answer.bound for answer in answers}
    return texts.pop() if len(texts) == 1 else "not the same in all"


def _over_time(group: AlikeChecks) -> Text:
    if len(group.members) > 1:
        return Text()
    return Text(history_text(group.members[0].history), style="cyan")


def history_text(points: Sequence[CheckPoint]) -> str:
    """Return the newest points as a line of bars; as marks of their status without numbers."""
    shown = points[-MOST_POINTS:]
    metrics = [point.metric for point in shown]
    numbers = [number for number in metrics if number is not None and math.isfinite(number)]
    if len(numbers) == len(shown):
        return sparkline(numbers)
    return "".join(MARKS[point.status] for point in shown) if len(shown) > 1 else ""
