"""How assets stand: one row each, what needs attention first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from rich.console import Group, RenderableType
from rich.text import Text

from assetflow.planning.reasons import RejectedLastTime
from assetflow.planning.results import AssetStatus
from assetflow.report.palette import Name, columns, faint, state
from assetflow.report.partition_ranges import ranges_text
from assetflow.report.plan_report import why
from assetflow.report.words import counted, listed_within, minute

MOST_BEHIND = 2
MOST_CHECKS = 2

URGENCY = {
    "failed": 0,
    "overdue": 1,
    "missing": 2,
    "stale": 3,
    "unknown": 4,
    "warned": 5,
    "due_soon": 6,
}
"""What needs attention, the most urgent first; what is not here needs none."""

UNASKED = frozenset({"no_policy", "unchecked"})
"""What an asset is on an axis on which nobody asked anything of it."""

Axis = Literal["sync", "freshness", "health"]

CALM = len(URGENCY)


def by_urgency(statuses: Iterable[AssetStatus]) -> list[AssetStatus]:
    """Return `statuses` with what needs attention first, else in their own order."""
    return sorted(statuses, key=_urgency)


def _urgency(status: AssetStatus) -> tuple[int, bool]:
    axes = (status.health, status.freshness, status.sync)
    worst = min(URGENCY.get(axis, CALM) for axis in axes)
    return worst, not status.behind


def status_report(statuses: Sequence[AssetStatus]) -> RenderableType:
    """Return how each asset stands, with the cause; an axis that nobody asked for is left out."""
    if not statuses:
        return Text("No asset is declared or selected. List what there is with `assetflow ls`.")
    axes: list[Axis] = ["sync"]
    if any(status.freshness != "no_policy" for status in statuses):
        axes.append("freshness")
    if any(status.health != "unchecked" for status in statuses):
        axes.append("health")
    table = columns(("asset", *axes, "why"), folds=["why"])
    for status in by_urgency(statuses):
        states = [_on_axis(status, axis) for axis in axes]
        table.add_row(Name(status.asset), *states, _said(status))
    return Group(table, Text(), _summary(statuses))


def _on_axis(status: AssetStatus, axis: Axis) -> Text:
    words = {"sync": status.sync, "freshness": status.freshness, "health": status.health}
    word = words[axis]
    return faint(word.replace("_", " ")) if word in UNASKED else state(word)


def cause(status: AssetStatus) -> Text:
    """Return what is wrong with its data, why it is not up to date, what it is behind."""
    rejected = [one for one in status.reasons if isinstance(one, RejectedLastTime)]
    reasons = [str(reason) for reason in status.reasons if reason not in rejected]
    if status.sync == "up_to_date":
        reasons = [text for text in reasons if text != "up to date"]
    if status.behind:
        names = tuple(f"'{name}'" for name in status.behind)
        reasons.append(f"behind {listed_within(names, MOST_BEHIND)}")
    return why([*map(str, rejected), *_of_checks(status, is_said=bool(rejected)), *reasons])


def _of_checks(status: AssetStatus, *, is_said: bool) -> Iterator[str]:
    """Yield what is wrong with its data: in versions that were rejected, in what is served.

    Of the first it may be said already why.
    """
    if status.rejected and not is_said:
        which = counted(len(status.rejected), "newer version")
        yield f"{which} {'was' if len(status.rejected) == 1 else 'were'} rejected"
    if status.unmet:
        yield f"{status.health}: {listed_within(status.unmet, MOST_CHECKS)}"


def _said(status: AssetStatus) -> Text:
    """Return how many partitions are up to date, if there are some, and why others are not."""
    because = cause(status)
    slices = partitions_text(status)
    if not slices:
        return because if because.plain else _made(status)
    return Text(f"{slices}\n").append_text(because) if because.plain else Text(slices)


def partitions_text(status: AssetStatus) -> str:
    """Return how the partitions of an asset stand, "" if it has none."""
    if status.ranges is None:
        return ""
    total = sum(status.partitions.values())
    if not total:
        return "no partition yet"
    parts = [f"{status.partitions.get('up_to_date', 0):,} of {total:,} up to date"]
    for sync, ranges in status.ranges.items():
        parts.append(f"{sync.replace('_', ' ')} {ranges_text([str(one) for one in ranges])}")
    return "; ".join(parts)


def _made(status: AssetStatus) -> Text:
    return faint(f"made {minute(status.materialized_at)} UTC" if status.materialized_at else "")


def _summary(statuses: Iterable[AssetStatus]) -> Text:
    counts: Counter[str] = Counter()
    for status in statuses:
        counts[status.sync] += 1
        if status.freshness in ("overdue", "due_soon"):
            counts[status.freshness] += 1
        if status.health in ("failed", "warned"):
            counts[status.health] += 1
    order = ("up_to_date", "stale", "missing", "unknown", "due_soon", "overdue", "warned", "failed")
    parts = [state(name) for name in order if counts[name]]
    numbers = [counts[name] for name in order if counts[name]]
    texts = [Text(f"{n:,} ").append_text(part) for n, part in zip(numbers, parts, strict=True)]
    return Text(", ").join(texts).append(".")
