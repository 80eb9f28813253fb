"""What `check` answers: the table, then more of what failed, and a summary."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from assetflow.model.names import AssetPartition
from assetflow.planning.check_pages import CheckLine, ChecksPage, FailingRows
from assetflow.planning.pages import Rows
from assetflow.quality.findings import finding, observed
from assetflow.report.check_order import ORDER, UNMET
from assetflow.report.check_table import AlikeChecks, ChecksTable, by_urgency, slices_of
from assetflow.report.palette import columns, faint, state, strong
from assetflow.report.rows_report import RowsTable
from assetflow.report.words import counted, listed_within

MOST_LINES = 40
MOST_DETAILS = 10
MOST_NAMES = 6
FAILED = frozenset({"failed", "errored"})

Served = Collection[AssetPartition]
"""The partitions of which a version is published."""


def check_report(
    page: ChecksPage, *, everything: bool = False, with_rows: bool = False
) -> RenderableType:
    """Return the checks, those that failed first; `with_rows`, the rows that failed as well.

    `everything` shows each check that passed, however many there are.
    """
    if not page.lines:
        return Group(*_nothing_checked(page))
    groups = by_urgency(page.lines, page.keys)
    unmet = sum(group.members[0].outcome.status != "passed" for group in groups)
    shown = groups if everything else groups[: max(MOST_LINES, unmet)]
    of_one_asset = len({group.asset for group in groups}) == 1
    parts: list[RenderableType] = [ChecksTable(shown, of_one_asset=of_one_asset)]
    if len(shown) < len(groups):
        parts.append(faint(f"… and {len(groups) - len(shown):,} more that passed (use --all)"))
    served = frozenset(line.target for line in page.lines if line.is_published)
    details = _all_details(groups, served, with_rows=with_rows)
    return Group(*parts, Text(), *details, *_last_words(page, with_rows=with_rows))


def _all_details(
    groups: Sequence[AlikeChecks], served: Served, *, with_rows: bool
) -> Iterator[RenderableType]:
    telling = UNMET if with_rows else FAILED
    found = [group for group in groups if group.members[0].outcome.status in telling]
    shown = found if with_rows else found[:MOST_DETAILS]
    for group in shown:
        check, slices = group.members[0].outcome.check, slices_of(group)
        yield strong(f"{group.asset}: {check}{f', {slices}' if slices else ''}")
        yield Padding(Group(*_details(group, served, with_rows=with_rows)), (0, 0, 0, 2))
        yield Text()
    if len(shown) < len(found):
        yield faint(f"… and {len(found) - len(shown):,} more that failed (--rows says all of them)")
        yield Text()


def _details(group: AlikeChecks, served: Served, *, with_rows: bool) -> Iterator[RenderableType]:
    line = group.members[0]
    if line.description:
        yield Text(line.description)
    table = columns(("fact", "value"), folds=["value"], header=False)
    for name, value in _facts(group, served).items():
        if value:
            table.add_row(faint(name), Text(value))
    yield table
    if with_rows:
        for member in group.members:
            yield from _rows(member)


def _facts(group: AlikeChecks, served: Served) -> dict[str, str]:
    line = group.members[0]
    outcome, answer = line.outcome, line.outcome.answer
    is_one = len(group.members) == 1
    quarantined = sum(member.outcome.quarantined for member in group.members)
    return {
        "found": observed(answer) if is_one and outcome.status != "errored" else "",
        "allowed": answer.bound,
        "problem" if outcome.status == "errored" else "message": answer.message,
        "columns": ", ".join(outcome.columns),
        "set aside": counted(quarantined, "row") if quarantined else "",
        "declared in": str(line.place or ""),
        "rejected": "" if line.is_published else _instead(group, served),
        "kept in": line.data if is_one else "",
    }


def _instead(group: AlikeChecks, served: Served) -> str:
    """Return what readers see instead of versions that were rejected."""
    if all(line.target in served for line in group.members):
        return "what was published before is still served"
    return (
        "not all of them were published before" if len(group.members) > 1 else "nothing is served"
    )


def _rows(line: CheckLine) -> Iterator[RenderableType]:
    """Yield the failing rows that were kept, how many there are, and the query of all of them."""
    if line.partition:
        yield strong(line.partition)
    failing = line.failing
    if failing is not None and failing.rows:
        yield RowsTable(_foremost(failing, line.outcome.columns))
        yield faint(kept_text(failing))
    elif line.outcome.answer.failures:
        yield faint(f"{finding(line.outcome.answer)}; none of them are kept")
    if line.outcome.answer.sql:
        yield faint("the query behind it")
        yield Text(line.outcome.answer.sql, overflow="fold")


def _foremost(failing: FailingRows, names: Collection[str]) -> Rows:
    """Return the rows with those columns first that are checked: not all may be shown."""
    folded = {name.casefold() for name in names}
    order = sorted(
        range(len(failing.columns)),
        key=lambda place: failing.columns[place].name.casefold() not in folded,
    )
    return Rows(
        tuple(failing.columns[place] for place in order),
        tuple(
            tuple(_as_stored(row[place], failing.columns[place].type) for place in order)
            for row in failing.rows
        ),
    )


def _as_stored(value: object, type_: str) -> object:
    """Return a value of a kept row as its table has it: an instant was kept as its text.

    >>> _as_stored("2026-01-05T07:00:00", "TIMESTAMP")
    datetime.datetime(2026, 1, 5, 7, 0)
    """
    if not isinstance(value, str) or not type_.upper().startswith("TIMESTAMP"):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value


def kept_text(failing: FailingRows) -> str:
    """Return how many failing rows are shown out of how many, and where all of them are."""
    count = counted(len(failing.rows), "row")
    is_cut = failing.total is not None and failing.total > len(failing.rows)
    text = f"the first {count} of {failing.total:,}" if is_cut else count
    return f"{text}; all are in {failing.place}" if failing.place else text


def _last_words(page: ChecksPage, *, with_rows: bool) -> Iterator[Text]:
    if page.unmade:
        yield faint(f"Not made yet, so not checked: {listed_within(page.unmade, MOST_NAMES)}.")
    if page.without:
        yield faint(f"Without checks: {listed_within(page.without, MOST_NAMES)}.")
    yield checks_summary(page)
    kept = [line.asset for line in page.lines if line.failing is not None and line.failing.rows]
    if kept and not with_rows:
        yield faint(f"See the failing rows with `assetflow check {kept[0]} --rows`.")


def checks_summary(page: ChecksPage) -> Text:
    """Return one line that counts the checks by how they came out."""
    parts = [
        Text(f"{page.counts[status]:,} ").append_text(state(status))
        for status in ORDER
        if page.counts[status]
    ]
    assets = {line.asset for line in page.lines}
    whose = f"'{min(assets)}'" if len(assets) == 1 else counted(len(assets), "asset")
    text = Text(f"{counted(len(page.lines), 'check')} of {whose}: ")
    text.append_text(Text(", ").join(parts))
    carried = sum(line.outcome.carried_over for line in page.lines)
    return text.append(f" ({carried:,} carried over)." if carried else ".")


def _nothing_checked(page: ChecksPage) -> Iterator[Text]:
    if page.unmade:
        names = listed_within(page.unmade, MOST_NAMES)
        yield Text(f"Nothing is made yet that could be checked: {names}.")
        yield faint("Make it with `assetflow materialize`; what fails its checks is not shown.")
    elif page.without:
        yield Text(f"No check is declared on {listed_within(page.without, MOST_NAMES)}.")
        yield faint(f"Let `assetflow check --suggest {page.without[0]}` propose some.")
    else:
        yield Text("No asset is declared or selected. List what there is with `assetflow ls`.")
