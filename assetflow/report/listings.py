"""The short listings: assets, environments, garbage, the audit trail, findings."""

from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from assetflow.graph.graph import AssetGraph
from assetflow.model.names import AssetName
from assetflow.model.partitions import in_a_word
from assetflow.planning.pages import (
    AuditResult,
    DynamicChange,
    DynamicKeys,
    EnvironmentLine,
    EventLine,
    Finding,
    GcResult,
    PublicationLine,
    PublicationSummary,
)
from assetflow.report.palette import (
    COLOURS,
    ROOMY,
    Listing,
    Name,
    Names,
    columns,
    faint,
    state,
)
from assetflow.report.words import SHORT_ID, counted, instant, listed_within, minute, size

MOST_UPSTREAMS = 3
MOST_KEYS = 5
PROGRAM = "assetflow "


def assets_table(graph: AssetGraph, names: Sequence[AssetName]) -> RenderableType:
    """Return one line for each of `names`: kind, upstreams, and what it is."""
    if not names:
        return Text("Nothing is selected. List all that there is with `assetflow ls`.")
    return AssetsTable(graph, names)


class AssetsTable:
    """A table of assets and sources.

    On a narrow terminal on which it does not fit, each has one line all the same: what it
    reads is left out, and what it is is cut.
    """

    def __init__(self, graph: AssetGraph, names: Sequence[AssetName]) -> None:
        self.graph = graph
        self.about = {name: _described(graph, name) for name in names}
        self.slices = {name: _partitions(graph, name) for name in names}
        self.checks = {name: _check_count(graph, name) for name in names}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        full = self._table()
        is_full = options.max_width >= ROOMY or full.fits(console, options)
        yield full if is_full else self._table(in_short=True)

    def _table(self, *, in_short: bool = False) -> Listing:
        with_groups = any(group for _, group, _ in self.about.values())
        shown = {
            "group": with_groups,
            "partitions": any(self.slices.values()),
            "checks": any(self.checks.values()),
            "reads": not in_short,
        }
        extra = [title for title, is_shown in shown.items() if is_shown]
        titles = ["name", "kind", *extra, "description"]
        table = columns(titles, right=["checks"], folds=["partitions", "reads", "description"])
        for name, (kind, group, description) in self.about.items():
            cells: dict[str, RenderableType] = {
                "group": Name(group),
                "partitions": Text(self.slices[name]),
                "checks": Text(self.checks[name]),
                "reads": self._reads(name),
            }
            what = Text(description, no_wrap=in_short, overflow="ellipsis" if in_short else None)
            table.add_row(Name(name), faint(kind), *(cells[title] for title in extra), what)
        return table

    def _reads(self, name: AssetName) -> Names:
        upstreams = self.graph.upstreams.get(name, ())
        return Names(upstreams[:MOST_UPSTREAMS], len(upstreams) - MOST_UPSTREAMS)


def _described(graph: AssetGraph, name: AssetName) -> tuple[str, str, str]:
    if name in graph.assets:
        asset = graph.assets[name]
        return asset.kind, asset.options.group, _first_line(asset.options.description)
    source = graph.sources[name]
    return "source", source.group, _first_line(source.description or source.path)


def _partitions(graph: AssetGraph, name: AssetName) -> str:
    one = graph.assets.get(name)
    partitions = one.options.partitions if one else graph.sources[name].partitions
    return in_a_word(partitions) if partitions else ""


def _check_count(graph: AssetGraph, name: AssetName) -> str:
    asset = graph.assets.get(name)
    return f"{len(asset.options.checks):,}" if asset and asset.options.checks else ""


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def environments_table(lines: Iterable[EnvironmentLine]) -> RenderableType:
    """Return one line for each environment."""
    titles = ("environment", "assets", "created (UTC)", "last published (UTC)")
    table = columns(titles, right=("assets",))
    for line in lines:
        table.add_row(
            Name(line.name),
            f"{line.assets:,}",
            instant(line.created_at),
            instant(line.last_published_at) or faint("never"),
        )
    return table


def dynamic_keys_table(lines: Sequence[DynamicKeys], name: str = "") -> RenderableType:
    """Return the keys of the dynamic partitions `name`, one in a line, else a line for each."""
    if not lines:
        return Text("No dynamic partitions are declared.")
    if name and not lines[0].keys:
        return Text(f"No key yet. Add one with `assetflow partitions add {name} KEY`.")
    if name:
        return Text("\n".join(lines[0].keys))
    table = columns(("name", "keys", "assets"), ("keys",), folds=["assets"])
    for line in lines:
        table.add_row(Name(line.name), f"{len(line.keys):,}", Names(line.assets))
    return table


def dynamic_change_text(change: DynamicChange) -> Text:
    """Return what was added, what was removed, and what comes next, in a sentence or two."""
    said = [
        f"{_keys(change.known)} {_were(change.known)} there already." if change.known else "",
        f"Added {_keys(change.added)}: the next run makes what is due." if change.added else "",
        f"Removed {_keys(change.removed)}: the next run of everything withdraws what is published."
        if change.removed
        else "",
    ]
    return Text(" ".join(filter(None, said)))


def _keys(keys: Sequence[str]) -> str:
    return listed_within(tuple(f"'{key}'" for key in keys), MOST_KEYS)


def _were(keys: Sequence[str]) -> str:
    return "was" if len(keys) == 1 else "were"


def publication_text(summary: PublicationSummary) -> Text:
    """Return what moved in an environment, in a sentence, and where it may come from."""
    if not summary.published and not summary.withdrawn:
        return Text(f"Environment '{summary.environment}' shows the same already.")
    parts = []
    if summary.published:
        parts.append(f"{_pointers(summary, summary.published)} published")
    if summary.withdrawn:
        alone = _pointers(summary, summary.withdrawn)
        parts.append(f"{summary.withdrawn if summary.published else alone} withdrawn")
    said = Text(f"Environment '{summary.environment}': {', '.join(parts)}.")
    return said.append_text(_of_other_settings(summary))


def _pointers(summary: PublicationSummary, count: int) -> str:
    """Return how many assets these are, or partitions of how many."""
    if summary.assets in (0, summary.published + summary.withdrawn):
        return counted(count, "asset")
    return f"{counted(count, 'partition')} of {counted(summary.assets, 'asset')}"


def _of_other_settings(summary: PublicationSummary) -> Text:
    """Return a warning where what was promoted may come of settings that are different."""
    if not summary.differing:
        return Text()
    width = max(map(len, summary.differing))
    names = f"'{summary.origin}' and '{summary.environment}'"
    lines = [
        f"What is published may come of settings that are different in {names}:",
        *(f"  {kind:<{width}}  {', '.join(names)}" for kind, names in summary.differing.items()),
        f"`assetflow plan{_env(summary.environment)}` says what would be made anew.",
    ]
    return Text("\n" + "\n".join(lines), style=COLOURS["warn"])


def _env(environment: str) -> str:
    return "" if environment == "main" else f" --env {environment}"


def deletion_text(summary: PublicationSummary) -> Text:
    """Return that an environment is no more, and what becomes of what it showed."""
    return Text(
        f"Environment '{summary.environment}' is deleted. It showed "
        f"{_pointers(summary, summary.withdrawn)}; versions that nothing else shows are kept for "
        "the retention."
    )


def publications_table(lines: Sequence[PublicationLine], environment: str) -> RenderableType:
    """Return one line for each publication, and how to return to one."""
    if not lines:
        return Text(f"Nothing was published in environment '{environment}' yet.")
    with_withdrawn = any(line.withdrawn for line in lines)
    extra = ["withdrawn"] if with_withdrawn else []
    titles = ("number", "when (UTC)", "published", *extra, "run", "command")
    table = columns(titles, ("number", "published", "withdrawn"), folds=["command"])
    for line in lines:
        table.add_row(
            str(line.number),
            minute(line.published_at),
            f"{line.published:,}",
            *([f"{line.withdrawn:,}" if line.withdrawn else ""] if with_withdrawn else []),
            line.run[:SHORT_ID],
            faint(line.command.removeprefix(PROGRAM)),
        )
    hint = f"`assetflow env rollback {environment} --to NUMBER` shows again what it showed then."
    return Group(table, Text(), faint(hint))


def gc_text(result: GcResult) -> Text:
    """Return what was removed, or would be, in a sentence."""
    if not result.versions and not result.bytes:
        return Text("Nothing to remove.")
    what = f"{counted(result.versions, 'version')}, {size(result.bytes)}"
    if not result.versions:
        what = f"{size(result.bytes)} in files that no version needs any more"
    return Text(f"Would remove {what}." if result.dry_run else f"Removed {what}.")


def audit_report(result: AuditResult) -> RenderableType:
    """Return the newest events, and whether the chain of all of them holds."""
    about = ["asset"] if any(event.asset for event in result.tail) else []
    table = columns(("when (UTC)", "event", *about, "run", "detail"), folds=["detail"])
    for event in result.tail:
        table.add_row(
            instant(event.happened_at),
            Text(event.kind.replace("_", " ")),
            *([Name(event.asset or "")] if about else []),
            (event.run or "")[:SHORT_ID],
            faint(_event_detail(event)),
        )
    if result.ok:
        verdict = Text(f"The chain of {counted(result.events, 'event')} holds.", style="green")
    else:
        verdict = Text(f"The chain is broken: {result.problem}", style="red")
    return Group(table, Text(), verdict) if result.tail else verdict


def _event_detail(event: EventLine) -> str:
    """Return in words what an event says; of a kind that has none, its names and values."""
    detail = dict(event.detail)
    where = f" in '{event.environment}'" if event.environment not in ("", "main") else ""
    parts = [f"{name} {text}" for name, text in event.detail]
    match event.kind:
        case "run_started":
            who = filter(None, [detail.get("user", ""), detail.get("host", "")])
            parts = [detail.get("command", "").removeprefix(PROGRAM), "by " + " on ".join(who)]
        case "run_finished":
            counts = [f"{text} {name}" for name, text in event.detail if text != "0"]
            parts = [detail.get("status", ""), *counts[1:]]
        case "published" | "publication_refused":
            count = detail.get("count", "")
            noun = "asset" if count == "1" else "assets"
            parts = [f"{count} {noun}{where}", detail.get("why", "")]
    return ", ".join(part for part in parts if part not in ("", "by "))


def findings_report(findings: Iterable[Finding]) -> RenderableType:
    """Return each finding, with what to do about it below."""
    table = columns(("status", "name", "text"), folds=["text"], header=False)
    for finding in findings:
        text = Text(finding.text)
        if finding.hint:
            text.append(f"\n{finding.hint}", style="dim")
        table.add_row(state(finding.status), Text(finding.name), text)
    return table


def written_files(files: Sequence[str], hint: str) -> RenderableType:
    """Return the files that were written, and what to do next."""
    listed = Text("\n".join(files), style=COLOURS["ok"])
    return Group("Wrote", Padding(listed, (0, 0, 0, 2)), Text(), Text(hint))
