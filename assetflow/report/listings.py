"""The short listings: assets, environments, garbage, the audit trail, findings."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from assetflow.graph.graph import AssetGraph
from assetflow.model.names import AssetName
from assetflow.planning.pages import (
    AuditResult,
    EnvironmentLine,
    Finding,
    GcResult,
    PublicationSummary,
)
from assetflow.report.palette import COLOURS, Name, columns, faint, state
from assetflow.report.words import counted, instant, listed_within, size

MOST_UPSTREAMS = 3


def assets_table(graph: AssetGraph, names: Sequence[AssetName]) -> RenderableType:
    """Return one line for each of `names`: kind, upstreams, and what it is."""
    if not names:
        return Text("No asset is declared yet. `assetflow init` writes a project to start from.")
    described = {name: _described(graph, name) for name in names}
    with_groups = any(group for _, group, _ in described.values())
    extra = ["group"] if with_groups else []
    titles = ["name", "kind", *extra, "reads", "description"]
    table = columns(titles, folds=["reads", "description"])
    for name, (kind, group, description) in described.items():
        upstreams = listed_within(graph.upstreams.get(name, ()), MOST_UPSTREAMS)
        cells = [Name(group)] if with_groups else []
        table.add_row(Name(name), faint(kind), *cells, Text(upstreams), Text(description))
    return table


def _described(graph: AssetGraph, name: AssetName) -> tuple[str, str, str]:
    if name in graph.assets:
        asset = graph.assets[name]
        return asset.kind, asset.options.group, _first_line(asset.options.description)
    source = graph.sources[name]
    return "source", source.group, _first_line(source.description or source.path)


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


def publication_text(summary: PublicationSummary) -> Text:
    """Return what moved in an environment, in a sentence."""
    if not summary.published and not summary.withdrawn:
        return Text(f"Environment '{summary.environment}' shows the same already.")
    text = f"Environment '{summary.environment}': {counted(summary.published, 'asset')} published"
    withdrawn = f", {summary.withdrawn:,} withdrawn" if summary.withdrawn else ""
    return Text(f"{text}{withdrawn}.")


def gc_text(result: GcResult) -> Text:
    """Return what was removed, or would be, in a sentence."""
    what = f"{counted(result.versions, 'version')}, {size(result.bytes)}"
    if not result.versions:
        return Text("Nothing to remove.")
    return Text(f"Would remove {what}." if result.dry_run else f"Removed {what}.")


def audit_report(result: AuditResult) -> RenderableType:
    """Return the newest events, and whether the chain of all of them holds."""
    titles = ("when (UTC)", "what", "asset", "environment", "detail")
    table = columns(titles, folds=["detail"], header=False)
    for event in result.tail:
        detail = ", ".join(f"{name} {value}" for name, value in event.detail)
        table.add_row(
            instant(event.happened_at),
            Text(event.kind.replace("_", " ")),
            Name(event.asset or ""),
            event.environment,
            faint(detail),
        )
    if result.ok:
        verdict = Text(f"The chain of {counted(result.events, 'event')} holds.", style="green")
    else:
        verdict = Text(f"The chain is broken: {result.problem}", style="red")
    return Group(table, Text(), verdict) if result.tail else verdict


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
