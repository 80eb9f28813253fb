"""How old one asset's data was over time: a chart of blocks, and how often it was fresh."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from assetflow.planning.freshness_pages import AgePoint, FreshnessHistory
from assetflow.planning.overdue import becomes_overdue
from assetflow.report.palette import faint, strong
from assetflow.report.words import lag, minute

HEIGHT = 8
WIDEST = 100
LABELS = 8
"""The width of what stands left of the chart."""

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_NOTHING = "Nothing of it was published in that time."
_AGELESS = "Nothing that it is made from ages: it is as recent as ever."


@dataclass(frozen=True, slots=True)
class Bar:
    """The worst of one column: how old the data was at most, and if it was overdue."""

    seconds: float | None = None
    is_overdue: bool = False


def freshness_chart(history: FreshnessHistory) -> RenderableType:
    """Return the page of one asset's past."""
    span = f"{minute(history.start)} to {minute(history.end)} UTC"
    head = strong(history.asset).append(f"  how old its data was, {span}", style="default not bold")
    policy = history.stated
    parts: list[RenderableType] = [head]
    if policy is not None:
        parts.append(faint(f"policy: {policy.policy} (from {policy.origin})"))
    if not any(point.data_time for point in history.points):
        is_ageless = any(point.is_ageless for point in history.points)
        return Group(*parts, Text(), Text(_AGELESS if is_ageless else _NOTHING))
    return Group(*parts, Text(), _Chart(history), Text(), *_shares(history))


@dataclass(frozen=True, slots=True)
class _Chart:
    history: FreshnessHistory

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(10, min(WIDEST, options.max_width) - LABELS - 2)
        bars = bars_of(self.history, width)
        yield from _rows(bars, _bound(self.history))
        yield Text(f"{'0':>{LABELS}} └{'─' * width}")
        if any(bar.is_overdue for bar in bars):
            marks = "".join("!" if bar.is_overdue else " " for bar in bars)
            yield Text(f"{'overdue':>{LABELS}}  ").append(marks.rstrip(), style="red")
        yield faint(f"{'':{LABELS}}  {_dates(self.history, width)}")


def bars_of(history: FreshnessHistory, count: int) -> list[Bar]:
    """Return the worst of each of `count` equal parts of the time."""
    step = (history.end - history.start) / count
    edges = [history.start + step * place for place in range(count)]
    return [_bar(history, edge, edge + step) for edge in edges]


def _bar(history: FreshnessHistory, start: datetime, end: datetime) -> Bar:
    spans = [one for one in _spans(history.points, end) if one[1] > start]
    if not spans:
        return Bar()
    policy = history.stated.policy if history.stated else None
    return Bar(
        max(max((until - data).total_seconds(), 0.0) for _, until, data in spans),
        policy is not None and any(until > becomes_overdue(policy, d) for _, until, d in spans),
    )


def _spans(
    points: Sequence[AgePoint], end: datetime
) -> Iterator[tuple[datetime, datetime, datetime]]:
    """Yield since when, until when at most `end`, and of what time the data was."""
    for place, point in enumerate(points):
        if point.at >= end:
            return
        following = points[place + 1].at if place + 1 < len(points) else end
        if point.data_time is not None:
            yield point.at, min(following, end), point.data_time


def _bound(history: FreshnessHistory) -> float | None:
    return history.stated.policy.max_lag_seconds if history.stated else None


def _rows(bars: Sequence[Bar], bound: float | None) -> Iterator[Text]:
    """Yield the lines of the chart, the uppermost first; `bound` is a line through it."""
    top = max([bar.seconds or 0.0 for bar in bars] + [(bound or 0.0) * 1.1]) or 1.0
    level = None if bound is None else min(int(bound / top * HEIGHT), HEIGHT - 1)
    for row in reversed(range(HEIGHT)):
        is_bound = row == level and bound is not None
        label = (
            lag(bound) if is_bound and bound is not None else lag(top) if row == HEIGHT - 1 else ""
        )
        line = Text(f"{label:>{LABELS}} {'┼' if is_bound else '│'}")
        for bar in bars:
            filled = ((bar.seconds or 0.0) / top * HEIGHT - row) * 8
            block = _EIGHTHS[max(0, min(8, round(filled)))]
            style = "red" if bar.is_overdue else "green"
            line.append("┄" if is_bound and block == " " else block, style=style)
        yield line


def _dates(history: FreshnessHistory, width: int) -> str:
    """Return the dates or times below the chart, at its ends and in its middle."""
    is_long = history.end - history.start > timedelta(days=2)
    form = "%m-%d" if is_long else "%H:%M"
    middle = history.start + (history.end - history.start) / 2
    first, second, last = (
        at.astimezone(UTC).strftime(form) for at in (history.start, middle, history.end)
    )
    half = width // 2 - len(second) // 2
    return f"{first:<{half}}{second:<{width - half - len(last)}}{last}"


def _shares(history: FreshnessHistory) -> Iterator[Text]:
    """Yield how often the data was fresh, and what is left of the error budget."""
    if history.share_fresh is None or history.stated is None:
        yield Text("No freshness policy says how old it may be.")
        return
    slo, left = history.stated.policy.slo, history.budget_left_seconds
    said = f"Fresh {_percent(history.share_fresh)} of the time"
    if slo is None or history.budget_seconds is None or left is None:
        yield Text(f"{said}.")
        return
    budget = lag(history.budget_seconds)
    rest = f"{lag(left)} left" if left >= 0 else f"overdrawn by {lag(-left)}"
    yield Text(f"{said}; the objective is {_percent(slo)}.")
    yield Text(f"Error budget {budget}, {rest}.", style="default" if left >= 0 else "red")


def _percent(share: float) -> str:
    """Return a share, never as 100 % where it is less.

    >>> _percent(1.0), _percent(0.9999), _percent(0.5)
    ('100 %', '99.99 %', '50 %')
    """
    shown = min(round(share * 100, 2), 100.0 if share >= 1 else 99.99)
    return f"{shown:g} %"
