"""How old data is, against what its policy allows: the most urgent first, with the cause."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from assetflow.planning.freshness_pages import URGENCY, FreshnessLine, FreshnessPage
from assetflow.report.palette import COLOURS, Listing, Name, columns, faint, state
from assetflow.report.words import counted, lag, listed_within, minute

MOST_URGENT = 50
"""So many lines that need attention are shown, unless all are asked for."""

MOST_CALM = 20
"""So many lines that need none are shown beside them."""

BAR = 8
"""The cells of a bar up to what the policy allows."""
BEYOND = 3
"""The cells of a bar behind that."""

AROUND = 2
"""The lines that the headline and a hint take."""
LEAST = 3
"""So many lines are shown on the smallest screen."""

WIDE = 100
"""From this width on there are columns for the instant at which data is due, and the trend."""

MOST_CAUSES = 10
ATTENTION = frozenset({"overdue", "due_soon", "unknown"})
LAST = "held back by"

WIDEST = 140
"""From this width on there is room for the path to what holds data back."""

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
    shown = list(page.lines) if everything else list(_shown(page.lines))
    if not shown:
        return Text(_NO_POLICY)
    return _Report(page, shown)


@dataclass(frozen=True, slots=True)
class _Report:
    """The lines that are `shown`; on a screen that is kept, as many of them as it has room for."""

    page: FreshnessPage
    shown: Sequence[FreshnessLine]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        below = Group(*_causes(self.page.lines), Text(), summary(self.page))
        shown = self.shown
        if options.height is not None:
            whole = options.reset_height()
            room = options.height - len(console.render_lines(below, whole)) - AROUND
            shown = shown[: max(room, LEAST)]
        yield FreshnessTable(shown, self.page.at)
        left = len(_with_policy(self.page.lines)) - len(_with_policy(shown))
        if left:
            yield faint(f"{left:,} more: --all shows them.")
        yield below


def _with_policy(lines: Iterable[FreshnessLine]) -> list[FreshnessLine]:
    return [line for line in lines if line.facts.status != "no_policy"]


def _shown(lines: Sequence[FreshnessLine]) -> Iterator[FreshnessLine]:
    urgent = [line for line in lines if line.facts.status in ATTENTION]
    calm = [line for line in lines if line.facts.status == "fresh"]
    yield from urgent[:MOST_URGENT]
    yield from calm[:MOST_CALM]


@dataclass(frozen=True, slots=True)
class FreshnessTable:
    """The lines as a table, which has more columns where there is room for them."""

    lines: Sequence[FreshnessLine]
    at: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield _table(self.lines, self.at, options.max_width)


def _table(lines: Sequence[FreshnessLine], at: datetime, width: int) -> Listing:
    is_wide = width >= WIDE
    more = ["due"] if is_wide else []
    has_deadline = is_wide and any(line.facts.next_deadline for line in lines)
    has_trend = is_wide and any(len(line.trend) > 1 for line in lines)
    more += [*(["deadline"] if has_deadline else []), *(["trend"] if has_trend else [])]
    table = columns(("asset", "status", "lag", *more, LAST), folds=[LAST])
    for line in lines:
        cells: list[RenderableType] = [Name(line.asset), state(line.facts.status), lag_cell(line)]
        cells += [Text(due_text(line, at))] if is_wide else []
        cells += [Text(minute(line.facts.next_deadline))] if has_deadline else []
        cells += [trend_cell(line)] if has_trend else []
        table.add_row(*cells, _held_back(line, shows_path=width >= WIDEST))
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


def standing_text(line: FreshnessLine) -> Text:
    """Return how one asset stands against its policy, where that stands, and the cause."""
    found = state(line.facts.status).append(" ", style="default").append_text(lag_cell(line))
    if line.stated is not None:
        origin = "" if line.stated.origin == "itself" else f", by the {line.stated.origin}"
        found.append(f"\n{line.stated.policy}{origin}", style="default")
    if line.facts.status in ATTENTION and line.bottleneck:
        found.append(f"\n{line.bottleneck.text}", style="default")
    return found


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
    seconds = (line.facts.due_at - at).total_seconds()
    return f"in {lag(seconds)}" if seconds >= 0 else f"{lag(-seconds)} ago"


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


def _held_back(line: FreshnessLine, *, shows_path: bool) -> RenderableType:
    """Return what the data is as old as, and, where there is room, the path from it."""
    if line.bottleneck is None:
        return faint(line.notes[0] if line.notes else "")
    above = line.bottleneck.blamed[:-1]
    if not above:
        return faint("itself")
    if not shows_path or len(above) == 1:
        return Name(above[0])
    between = [] if len(above) == 2 else ["…"]  # noqa: PLR2004 - a root, and what it reaches first
    return Text(" → ".join([above[0], *between, above[-1]]))


def _causes(lines: Iterable[FreshnessLine]) -> Iterator[RenderableType]:
    """Yield what holds back the data that needs attention, each cause once, and what is odd."""
    held: dict[str, list[FreshnessLine]] = {}
    odd: dict[str, None] = {}
    for line in lines:
        if line.facts.status in ATTENTION and line.bottleneck:
            held.setdefault(line.bottleneck.text, []).append(line)
        odd.update(dict.fromkeys(line.notes if line.bottleneck else ()))
    said = [f"{text}.{_held(some)}" for text, some in held.items()]
    said += [f"{note}." for note in odd]
    yield from [Text()] if said else []
    yield from map(Text, said[:MOST_CAUSES])
    if len(said) > MOST_CAUSES:
        yield faint(f"… and {len(said) - MOST_CAUSES:,} more causes; --json has all.")


def _held(lines: Sequence[FreshnessLine]) -> str:
    """Return what one thing holds back, beside itself; of a single asset by which path."""
    below = [line for line in lines if line.bottleneck and line.bottleneck.blamed[1:]]
    if not below:
        return ""
    said = listed_within(tuple(f"'{line.asset}'" for line in below), 3)
    between = below[0].bottleneck.blamed[1:-1] if below[0].bottleneck else ()
    through = f", through {' → '.join(between)}" if len(below) == 1 and between else ""
    return f" It holds back {said}{through}."


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
