"""How old data is, against what its policy allows: the most urgent first, with the cause."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from assetflow.planning.freshness_pages import URGENCY, FreshnessLine, FreshnessPage
from assetflow.planning.overdue import Bottleneck
from assetflow.report.palette import COLOURS, Listing, Name, columns, faint, state
from assetflow.report.words import counted, lag, minute

MOST_URGENT = 50
"""So many lines that need attention are shown, unless all are asked for."""

MOST_CALM = 20
"""So many lines that need none are shown beside them."""

BAR = 8
"""The cells of a bar up to what the policy allows."""
BEYOND = 3
"""The cells of a bar behind that."""

WIDE = 100
"""From this width on there are columns for the instant at which data is due, and the trend."""

_LEVELS = "▁▂▃▄▅▆▇█"
_NO_POLICY = (
    "No asset or source has a freshness policy. Say how old its data may be: "
    'freshness = { max_lag = "6h" }'
)
_NOTHING = "Nothing is selected. List what there is with `assetflow ls`."


def freshness_report(page: FreshnessPage, *, everything: bool = False) -> RenderableType:
    """Return the page; of thousands of lines those that need attention.

    With `everything` all are shown, also what has no policy.
    """
    if not page.lines:
        return Text(_NOTHING)
    lines = page.lines
    shown = list(lines) if everything else list(_shown(lines))
    if not shown:
        return Text(_NO_POLICY)
    parts: list[RenderableType] = [FreshnessTable(shown, page.at)]
    parts += [faint(f"{len(lines) - len(shown):,} more: --all shows them.")] * (
        len(_with_policy(lines)) > len(shown)
    )
    return Group(*parts, Text(), summary(page))


def _with_policy(lines: Iterable[FreshnessLine]) -> list[FreshnessLine]:
    return [line for line in lines if line.facts.status != "no_policy"]


def _shown(lines: Sequence[FreshnessLine]) -> Iterator[FreshnessLine]:
    urgent = [line for line in lines if line.facts.status in ("overdue", "due_soon", "unknown")]
    calm = [line for line in lines if line.facts.status == "fresh"]
    yield from urgent[:MOST_URGENT]
    yield from calm[:MOST_CALM]


@dataclass(frozen=True, slots=True)
class FreshnessTable:
    """The lines as a table, which has more columns where there is room for them."""

    lines: Sequence[FreshnessLine]
    at: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield _table(self.lines, self.at, is_wide=options.max_width >= WIDE)


def _table(lines: Sequence[FreshnessLine], at: datetime, *, is_wide: bool) -> Listing:
    has_trend = is_wide and any(len(line.trend) > 1 for line in lines)
    more = [*(["due"] if is_wide else []), *(["trend"] if has_trend else [])]
    last = "held back by"
    table = columns(("asset", "status", "lag", *more, last), folds=[last])
    for line in lines:
        cells: list[RenderableType] = [
            Name(line.asset), state(line.facts.status), lag_cell(line)
        ]  # fmt: skip
        if is_wide:
            cells.append(Text(due_text(line, at)))
        if has_trend:
            cells.append(trend_cell(line))
        table.add_row(*cells, _cause(line, at, is_wide=is_wide))
    return table


def lag_cell(line: FreshnessLine) -> Text:
    """Return how old the data is beside what is allowed, as a bar and in words."""
    facts = line.facts
    if facts.lag_seconds is None:
        return faint("never ages" if facts.status == "fresh" else "no data time")
    if facts.allowed_seconds is None:
        return Text(lag(facts.lag_seconds))
    shown = bar(facts.lag_seconds / max(facts.allowed_seconds, 1e-9))
    words = f" {lag(facts.lag_seconds)} of {lag(facts.allowed_seconds)}"
    return Text(shown, style=COLOURS.get(facts.status, "")).append(words, style="default")


def bar(share: float) -> str:
    """Return a bar for a lag that is this `share` of what is allowed, which ends at the line.

    >>> bar(0.5), bar(1.25), bar(9)
    ('████····│   ', '████████│██ ', '████████│██+')
    """
    cells = round(min(share, 1.0) * BAR)
    if cells == BAR and share < 1:
        cells = BAR - 1
    over = min(max(share - 1.0, 0.0) * BAR, BEYOND)
    beyond = "█" * (BEYOND - 1) + "+" if share * BAR > BAR + BEYOND else "█" * round(over)
    return f"{'█' * cells}{'·' * (BAR - cells)}│{beyond:<{BEYOND}}"


def due_text(line: FreshnessLine, at: datetime) -> str:
    """Return when the data becomes overdue, or since when it is, as seen from `at`."""
    if line.facts.due_at is None:
        return ""
    seconds = seconds_left(line, at)
    return f"in {lag(seconds)}" if seconds >= 0 else f"{lag(-seconds)} ago"


def seconds_left(line: FreshnessLine, at: datetime) -> float:
    """Return how long it is until the data becomes overdue; less than 0 where it is."""
    return (line.facts.due_at - at).total_seconds() if line.facts.due_at else math.inf


def trend_cell(line: FreshnessLine) -> Text:
    """Return how the lag went, the oldest first; what was too old then stands out."""
    allowed = line.facts.allowed_seconds
    known = [seconds for seconds in line.trend if seconds is not None]
    top = max([*known, allowed or 0.0], default=0.0) or 1.0
    found = Text()
    for seconds in line.trend:
        is_over = allowed is not None and seconds is not None and seconds > allowed
        found.append(_level(seconds, top), style="red" if is_over else "dim")
    return found


def _level(seconds: float | None, top: float) -> str:
    if seconds is None:
        return " "
    return _LEVELS[min(int(seconds / top * len(_LEVELS)), len(_LEVELS) - 1)]


def _cause(line: FreshnessLine, at: datetime, *, is_wide: bool) -> Text:
    """Return what holds the data back, and what else there is to say of it."""
    said = []
    due = due_text(line, at)
    if due and not is_wide and line.facts.status != "fresh":
        said.append(f"for {lag(-seconds_left(line, at))}" if line.facts.since else f"due {due}")
    if line.facts.status in ("overdue", "due_soon", "unknown") and line.bottleneck:
        said.append(line.bottleneck.text)
        said += _through(line.bottleneck)
    elif line.bottleneck and line.bottleneck.root != line.asset:
        said.append(f"'{line.bottleneck.root}'")
    if line.facts.next_deadline and is_wide:
        said.append(f"next deadline {minute(line.facts.next_deadline)} UTC")
    return Text("; ".join([*said, *line.notes]))


def _through(held: Bottleneck) -> list[str]:
    """Return what lies between the root and the asset, as a part of a sentence."""
    between = held.path[1:-1]
    return [f"through {' → '.join(between)}"] if between else []


def summary(page: FreshnessPage) -> Text:
    """Return how many stand how, and as of when."""
    counts = Counter(line.facts.status for line in page.lines)
    found = Text(", ").join(
        Text(f"{counts[name]:,} ").append_text(state(name))
        for name in URGENCY
        if counts[name] and name != "no_policy"
    )
    if counts["no_policy"]:
        without = counted(counts["no_policy"], "has no policy", "have no policy")
        found.append(f"; {without}" if found else without)
    return found.append(f", as of {minute(page.at)} UTC.")
