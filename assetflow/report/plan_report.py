"""How a plan looks: a line for each step, what the changes do, and a summary."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assetflow.model.names import AssetName
from assetflow.planning.pages import StepDiff
from assetflow.planning.reasons import Reason
from assetflow.planning.results import RunResult
from assetflow.planning.steps import Action, Plan, Step
from assetflow.report.palette import COLOURS, Name, columns, faint, state, strong
from assetflow.report.partition_ranges import (
    Alike,
    common_reasons,
    grouped,
    has_partitions,
    in_general,
    left_lines,
)
from assetflow.report.words import counted, duration

MOST_STEPS = 40
MOST_NOTES = 10
MOST_CAUSES = 12
LEAST_ESTIMATE = 10.0
"""Seconds of work from which on it is worth knowing beforehand."""

SUMMARY: Mapping[Action, str] = {
    "materialize": "{} to materialize",
    "may_materialize": "{} may change",
    "reuse": "{} to reuse",
    "verify": "{} to verify",
    "check": "{} to check",
    "withdraw": "{} to withdraw",
    "blocked": "{} blocked",
}


def plan_report(
    plan: Plan, *, verbose: bool = False, everything: bool = False, diffs: Sequence[StepDiff] = ()
) -> RenderableType:
    """Return a plan as a page: `verbose` says every reason, `everything` shows every step."""
    groups = grouped(plan.steps, lambda step: step.target, _said, plan.keys)
    shown = groups if everything else groups[:MOST_STEPS]
    parts: list[RenderableType] = []
    if shown:
        parts.append(_steps(shown, verbose=verbose))
    if len(shown) < len(groups):
        rest = len(groups) - len(shown)
        parts += [faint(f"… and {rest:,} more (use --all)"), Text(), _causes(plan.steps)]
    if diffs:
        parts += [Text(), *_diffs(diffs)]
    parts += noted(plan.notes, everything=everything)
    parts += [Text()] if parts else []
    return Group(*parts, *left_lines(plan.left, plan.keys), plan_summary(plan), *_estimate(plan))


def _said(step: Step) -> tuple[Action, tuple[str, ...]]:
    return step.action, in_general(step.reasons)


def _estimate(plan: Plan) -> Iterator[Text]:
    if plan.estimated_seconds is not None and plan.estimated_seconds >= LEAST_ESTIMATE:
        yield faint(f"About {duration(plan.estimated_seconds)} of work, by what it took before.")


def plan_summary(plan: Plan) -> Text:
    """Return one line that counts what will be done.

    >>> plan_summary(Plan("main", (), 12)).plain
    'Everything is up to date: 12 assets.'
    """
    if not plan.steps:
        return nothing_to_do(plan)
    counts = Counter(step.action for step in plan.steps)
    parts = [
        Text(words.format(f"{counts[action]:,}"), style=COLOURS[action])
        for action, words in SUMMARY.items()
        if action in counts
    ]
    if plan.up_to_date:
        parts.append(Text(f"{plan.up_to_date:,} up to date"))
    summary = Text(", ").join(parts)
    if plan.environment != "main":
        summary.append(f" in environment '{plan.environment}'")
    if has_partitions(plan.keys):
        summary.append(f" (partitions of {counted(len(plan.keys), 'asset')})")
    return summary.append(".")


def nothing_to_do(told: Plan | RunResult) -> Text:
    """Return that all is as it should be, in assets, and in partitions where there are some.

    >>> nothing_to_do(Plan("main", (), 0, for_policies=True)).plain
    'Nothing to do: no policy needs a run.'
    """
    if told.up_to_date == 0:
        return Text(f"Nothing to do: {_why_nothing(told)}.")
    what = counted(told.up_to_date, "asset")
    if has_partitions(told.keys):
        what = f"{counted(told.up_to_date, 'partition')} of {counted(len(told.keys), 'asset')}"
    return Text(f"Everything is up to date: {what}.", style="green")


def _why_nothing(told: Plan | RunResult) -> str:
    """Return why there is nothing to do; what policies are held back by stands in the notes."""
    if not told.for_policies:
        return "nothing that is selected or declared needs it"
    return "a run would help no policy" if told.notes else "no policy needs a run"


def _steps(groups: Sequence[Alike[Step]], *, verbose: bool) -> Table:
    has_ranges = any(group.ranges for group in groups)
    titles = ("action", "asset", *(["partitions"] if has_ranges else []), "why")
    table = columns(titles, folds=["partitions", "why"], header=False)
    for group in groups:
        table.add_row(
            state(group.members[0].action),
            Name(group.asset),
            *([group.partitions] if has_ranges else []),
            why(common_reasons([step.reasons for step in group.members]), verbose=verbose),
        )
    return table


def why(reasons: Sequence[str], *, verbose: bool = False) -> Text:
    """Return the headline reason and how many more there are, or all of them.

    >>> why(["code changed", "'orders' may change"]).plain
    'code changed  +1 more'
    """
    if verbose:
        return Text("\n".join(reasons))
    text = Text(reasons[0] if reasons else "")
    if len(reasons) > 1:
        text.append(f"  +{len(reasons) - 1} more", style="dim")
    return text


def _causes(steps: Iterable[Step]) -> Table:
    """Count the steps by action and headline reason, the most frequent first."""
    counts = Counter((step.action, _headline(step.reasons)) for step in steps)
    table = columns(("count", "action", "why"), right=("count",), header=False)
    for (action, code), count in counts.most_common(MOST_CAUSES):
        table.add_row(f"{count:,}", state(action), code.replace("_", " "))
    return table


def _headline(reasons: Sequence[Reason]) -> str:
    return reasons[0].code if reasons else ""


def noted(
    notes: Sequence[tuple[AssetName, str]], *, everything: bool = False
) -> Iterator[RenderableType]:
    """Yield what is worth knowing beside the steps."""
    if not notes:
        return
    shown = notes if everything else notes[:MOST_NOTES]
    table = columns(("asset", "note"), folds=["note"], header=False)
    for asset, text in shown:
        table.add_row(Name(asset), Text(text))
    yield Text()
    yield faint("Worth knowing")
    yield Padding(table, (0, 0, 0, 2))
    if len(shown) < len(notes):
        yield faint(f"  … and {len(notes) - len(shown):,} more (use --all)")


def _diffs(diffs: Iterable[StepDiff]) -> Iterator[RenderableType]:
    for diff in diffs:
        yield strong(str(diff.target))
        yield Padding(Group(*_diff_lines(diff)), (0, 0, 0, 2))


def _diff_lines(diff: StepDiff) -> Iterator[Text]:
    if diff.problem:
        yield Text(diff.problem, style="red")
        return
    for column in diff.columns_added:
        yield Text(f"+ {column.name}  {column.type}", style="green")
    for column in diff.columns_removed:
        yield Text(f"- {column.name}  {column.type}", style="red")
    for name, before, after in diff.columns_retyped:
        yield Text(f"~ {name}  {before} → {after}", style="yellow")
    same = not (diff.columns_added or diff.columns_removed or diff.columns_retyped)
    if same and diff.rows_after is not None:
        yield faint("the same columns")
    yield Text(_rows_line(diff))


def _rows_line(diff: StepDiff) -> str:
    """Return what becomes of the rows: how many there are, how many come and go."""
    if diff.rows_after is None:
        return "rows are known only after it ran"
    before = "none" if diff.rows_before is None else f"{diff.rows_before:,}"
    line = f"rows {before} → {diff.rows_after:,}"
    if diff.rows_added is None or diff.rows_removed is None:
        return line
    if not diff.rows_added and not diff.rows_removed:
        return f"{line} (the same content)"
    return f"{line} (+{diff.rows_added:,}, -{diff.rows_removed:,})"
