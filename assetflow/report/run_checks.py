"""The checks of a run: what did not pass, of all steps together."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from assetflow.model.names import AssetPartition
from assetflow.planning.check_pages import CheckOutcome
from assetflow.planning.pages import StepLine
from assetflow.planning.results import StepResult
from assetflow.quality.findings import finding
from assetflow.report.check_order import UNMET, urgency
from assetflow.report.check_table import outcome_state
from assetflow.report.palette import Name, columns, faint
from assetflow.report.partition_ranges import Alike, Keys, grouped
from assetflow.report.words import counted

MOST_CHECKS = 20


class Found(NamedTuple):
    """What a check of a step's version found."""

    target: AssetPartition
    outcome: CheckOutcome


def unmet_of_results(steps: Iterable[StepResult]) -> Iterator[Found]:
    """Yield what did not pass, but for what a step's error says already."""
    for step in steps:
        yield from _unmet(step.target, step.checks, is_said=bool(step.error))


def unmet_of_lines(steps: Iterable[StepLine]) -> Iterator[Found]:
    """Yield what did not pass in a run that is remembered, but for what errors say already."""
    for step in steps:
        target = AssetPartition(step.asset, step.partition)
        yield from _unmet(target, step.checks, is_said=bool(step.error))


def _unmet(
    target: AssetPartition, outcomes: Iterable[CheckOutcome], *, is_said: bool
) -> Iterator[Found]:
    for outcome in outcomes:
        is_in_error = is_said and outcome.has_failed and outcome.on_failure != "warn"
        if outcome.status in UNMET and not is_in_error:
            yield Found(target, outcome)


def unmet_checks(found: Iterable[Found], keys: Keys) -> Iterator[RenderableType]:
    """Yield a table of checks that did not pass, those that failed first."""
    groups = grouped(found, lambda one: one.target, _said, keys)
    if not groups:
        return
    groups.sort(key=_place)
    slices = ["partitions"] if any(group.ranges for group in groups) else []
    titles = ("status", "check", *slices, "found")
    table = columns(titles, folds=["partitions", "found"], header=False)
    for group in groups[:MOST_CHECKS]:
        outcome = group.members[0].outcome
        name = Name(f"{group.asset}: {outcome.check}")
        cells = [group.partitions] if slices else []
        table.add_row(outcome_state(outcome), name, *cells, Text(_finding(group)))
    yield faint("Checks that did not pass")
    yield Padding(table, (0, 0, 0, 2))
    if len(groups) > MOST_CHECKS:
        yield faint(f"  … and {len(groups) - MOST_CHECKS:,} more: assetflow check")
    yield Text()


def _place(group: Alike[Found]) -> tuple[object, ...]:
    """Return what sorts groups, whatever the order in which steps ended."""
    outcome = group.members[0].outcome
    return urgency(outcome), group.asset, outcome.check


def _said(found: Found) -> tuple[str, str, str]:
    outcome = found.outcome
    return outcome.check, outcome.status, outcome.severity


def _finding(group: Alike[Found]) -> str:
    """Return what was found, of several partitions in the first of those with most failures."""
    worst = min(group.members, key=_badness)
    quarantined = sum(one.outcome.quarantined for one in group.members)
    texts = {finding(one.outcome.answer) for one in group.members}
    where = f" in {worst.target.partition}" if len(texts) > 1 else ""
    aside = f"; {counted(quarantined, 'row')} set aside" if quarantined else ""
    return f"{finding(worst.outcome.answer)}{where}{aside}"


def _badness(found: Found) -> tuple[int, str]:
    """Return what sorts the worst first, whatever the order in which steps ended."""
    return -(found.outcome.answer.failures or 0), found.target.partition
