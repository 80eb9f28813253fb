"""How a repair looks: what failed, what may mend it, what was left out, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from assetflow.graph.lineage import ColumnName
from assetflow.model.names import AssetPartition
from assetflow.model.partitions import WHOLE_KEYS
from assetflow.planning.repair_pages import (
    DeadLetterLine,
    Mended,
    RepairLine,
    RepairPage,
    RepairState,
    RepairUpstream,
)
from assetflow.quality.findings import finding, observed
from assetflow.report.palette import Name, columns, faint, state, strong
from assetflow.report.partition_ranges import Keys, range_texts, ranges_text
from assetflow.report.words import counted, instant, listed_within, minute

MOST_NAMES = 6
ROWS = "rows"
"""How a path names what decides which rows there are."""

SUMMARY: dict[RepairState, str] = {
    "repairable": "{} to repair",
    "cooling_down": "{} waiting for the next attempt",
    "nothing_differs": "{} that nothing upstream can mend",
    "exhausted": "{} without attempts left",
}
HINTS: dict[RepairState, str] = {
    "nothing_differs": "No run would mend it: correct the data at its source, the query or the "
    "check.",
    "exhausted": "It stays rejected. Look at it, then retry or resolve it: `assetflow repair "
    "--list`.",
}


def repair_report(page: RepairPage) -> RenderableType:
    """Return the plan of a repair: for each failed check what is made again, and what not."""
    if not page.lines:
        known = "no check failed, of those that were asked" if page.unasked else "no check failed"
        text = Text(f"Nothing to repair: {known}.", style="" if page.unasked else "green")
        return Group(text, *_unasked(page))
    parts: list[RenderableType] = []
    for line in page.lines:
        parts += [_heading(line, page.keys), Padding(_line(line, page.keys), (0, 0, 0, 2)), Text()]
    return Group(*parts, repair_summary(page), *_unasked(page))


def _unasked(page: RepairPage) -> Iterator[Text]:
    if page.unasked:
        names = listed_within(tuple(f"'{name}'" for name in page.unasked), MOST_NAMES)
        yield Text(f"Checks of {names} are new or changed: ask them with `assetflow check`.")


def _heading(line: RepairLine, keys: Keys) -> Text:
    where = partitions_of(line, keys)
    text = strong(f"{line.asset}: {line.outcome.check}")
    text.append(f"  {finding(line.outcome.answer)}", style="not bold")
    return text.append(f" in {where}", style="not bold") if where else text


def partitions_of(line: RepairLine | RepairUpstream, keys: Keys) -> str:
    """Return which partitions of its asset are meant, "" where it has none."""
    if not any(line.partitions):
        return ""
    own = keys.get(line.asset, WHOLE_KEYS)
    return ranges_text(range_texts(own, line.partitions), len(line.partitions))


def _line(line: RepairLine, keys: Keys) -> RenderableType:
    table = columns(("fact", "value"), folds=["value"], header=False)
    if line.outcome.columns:
        table.add_row(faint("columns"), Text(", ".join(line.outcome.columns)))
    for title, upstreams in (("make again", line.chosen), ("left out", line.left_out)):
        if upstreams:
            table.add_row(faint(title), _upstreams(upstreams, keys))
    if line.max_attempts:
        table.add_row(faint("attempts"), Text(_attempts(line)))
    hint = HINTS.get(line.state)
    return Group(table, *([Text(hint)] if hint else []))


def _upstreams(upstreams: Sequence[RepairUpstream], keys: Keys) -> RenderableType:
    """Return each upstream with its reason, and below it the way that leads there."""
    lines: list[RenderableType] = []
    for one in upstreams:
        text = strong(one.asset)
        where = partitions_of(one, keys)
        text.append(f" {where}" if where else "", style="not bold")
        text.append(f"  {one.reason}", style="not bold")
        lines.append(text)
        if len(one.path) > 1:
            lines.append(Text(f"  {path_text(one.path)}", style="cyan"))
    return Group(*lines)


def path_text(path: Iterable[ColumnName]) -> str:
    """Return a way through lineage, from what failed to what it is made from.

    >>> path_text([ColumnName("revenue", "total"), ColumnName("orders", "")])
    'revenue.total ← orders (rows)'
    """
    return " ← ".join(str(one) if one.column else f"{one.asset} ({ROWS})" for one in path)


def _attempts(line: RepairLine) -> str:
    text = f"{line.attempts} of {line.max_attempts} made"
    if line.not_before is not None:
        text = f"{text}; the next not before {instant(line.not_before)} UTC"
    return text


def repair_summary(page: RepairPage) -> Text:
    """Return one line that counts the checks by what can be done, and what would run."""
    counts = Counter(line.state for line in page.lines)
    parts = [
        words.format(counted(counts[name], "check"))
        for name, words in SUMMARY.items()
        if counts[name]
    ]
    runs = {
        AssetPartition(one.asset, key)
        for line in page.lines
        if line.state == "repairable"
        for one in line.chosen
        for key in one.partitions
    }
    text = Text(", ".join(parts))
    if runs:
        assets = counted(len({target.asset for target in runs}), "asset")
        sliced = any(target.partition for target in runs)
        what = f"{counted(len(runs), 'partition')} of {assets}" if sliced else assets
        text.append(f"; {what} to make again")
    if page.environment != "main":
        text.append(f" in environment '{page.environment}'")
    return text.append(".")


def mended_lines(mended: Iterable[tuple[AssetPartition, Mended]]) -> Iterator[RenderableType]:
    """Yield a table of what a repair changed, nothing where there was none."""
    table = columns(("check", "change"), folds=["change"], header=False)
    found = list(mended)
    for target, one in found:
        table.add_row(Name(f"{target}: {one.check}"), change_text(one))
    if found:
        is_mended = all(one.after.status in ("passed", "warned") for _, one in found)
        yield faint("Repaired" if is_mended else "What the repair changed")
        yield Padding(table, (0, 0, 0, 2))
        yield Text()


def change_text(one: Mended) -> Text:
    """Return how a check came out before a repair and after it."""
    before, after = one.before, one.after
    are_counts = before.failures is not None and after.failures is not None
    found = finding(before) if are_counts else observed(before) or finding(before)
    now = f"{after.failures:,}" if are_counts else observed(after) or finding(after)
    return Text(f"{found} → {now}  ").append_text(state(after.status))


def dead_letters_table(lines: Sequence[DeadLetterLine]) -> RenderableType:
    """Return one line for each partition whose repairs are used up."""
    if not lines:
        return Text("No dead letter: no repair has used up its attempts.")
    open_ones = sum(line.resolved_at is None for line in lines)
    slices = ["partition"] if any(line.partition for line in lines) else []
    titles = ("check", *slices, "found", "tried", "since (UTC)")
    table = columns(titles, right=["tried"], folds=["found"])
    for line in lines:
        table.add_row(
            Name(f"{line.asset}: {line.check}"),
            *([Text(line.partition)] if slices else []),
            _found_and_noted(line),
            f"{line.attempts:,}",
            minute(line.since),
        )
    summary = f"{counted(open_ones, 'dead letter')} open, {len(lines) - open_ones:,} resolved."
    return Group(table, Text(), Text(summary))


def _found_and_noted(line: DeadLetterLine) -> Text:
    """Return what the check found; below it whether it is resolved, and what was said of it."""
    text = Text(finding(line.answer))
    if line.resolved_at is None and not line.note:
        return text
    text.append("\n")
    if line.resolved_at is not None:
        text.append("resolved", style="green").append(f" {minute(line.resolved_at)}")
        text.append(": " if line.note else "")
    return text.append(line.note)
