"""The documented JSON of every command. Keys may be added, never renamed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TypeAlias

from assetflow.graph.graph import AssetGraph
from assetflow.graph.lineage import Lineage
from assetflow.model.asset import Asset, Source
from assetflow.model.columns import ReadSet
from assetflow.model.names import AssetName, AssetPartition
from assetflow.model.partitions import described
from assetflow.planning.freshness_pages import FreshnessHistory, FreshnessLine, FreshnessPage
from assetflow.planning.pages import (
    AssetPage,
    AuditResult,
    DynamicChange,
    DynamicKeys,
    EnvironmentLine,
    Finding,
    GcResult,
    KeptFiles,
    PartitionsPage,
    PublicationLine,
    PublicationSummary,
    Rows,
    RunLine,
    RunPage,
    StepDiff,
    StepLine,
    VersionLine,
)
from assetflow.planning.reasons import Reason
from assetflow.planning.results import AssetStatus, RunResult
from assetflow.planning.steps import Plan
from assetflow.report.check_shapes import check_lines_json, mended_json, outcome_json
from assetflow.report.json_values import json_instant, json_value
from assetflow.report.partition_ranges import Keys, grouped

Document: TypeAlias = "dict[str, object]"


def as_text(document: object) -> str:
    """Return a document as the one line of JSON that a command prints."""
    return json.dumps(json_value(document), ensure_ascii=False)


def _reasons(reasons: Iterable[Reason]) -> list[Document]:
    return [dict(reason.as_json()) for reason in reasons]


def plan_json(plan: Plan, diffs: Iterable[StepDiff] | None = None) -> Document:
    """Return a plan; `diffs`, where they were asked for, stand under a key of their own."""
    document: Document = {
        "environment": plan.environment,
        "steps": [
            {
                "asset": step.target.asset,
                "partition": step.target.partition or None,
                "action": step.action,
                "reasons": _reasons(step.reasons),
            }
            for step in plan.steps
        ],
        "up_to_date": plan.up_to_date,
        "left": _left_json(plan.left, plan.keys),
        "estimated_seconds": rounded(plan.estimated_seconds),
        "notes": [{"asset": asset, "text": text} for asset, text in plan.notes],
    }
    if diffs is not None:
        document["diffs"] = [_diff_json(diff) for diff in diffs]
    return document


def _left_json(left: Iterable[AssetPartition], keys: Keys) -> list[Document]:
    """Return what is left for another time, in ranges."""
    groups = grouped(left, lambda target: target, lambda _: None, keys)
    return [
        {"asset": one.asset, "partitions": len(one.members), "ranges": list(one.ranges)}
        for one in groups
    ]


def rounded(seconds: float | None) -> float | None:
    """Return seconds to the millisecond."""
    return None if seconds is None else round(seconds, 3)


def _diff_json(diff: StepDiff) -> Document:
    return {
        "asset": diff.target.asset,
        "partition": diff.target.partition or None,
        "columns_added": [_column(column.name, column.type) for column in diff.columns_added],
        "columns_removed": [_column(column.name, column.type) for column in diff.columns_removed],
        "columns_retyped": [
            {"name": name, "type_before": before, "type_after": after}
            for name, before, after in diff.columns_retyped
        ],
        "rows_before": diff.rows_before,
        "rows_after": diff.rows_after,
        "rows_added": diff.rows_added,
        "rows_removed": diff.rows_removed,
        "problem": diff.problem or None,
    }


def _column(name: str, kind: str) -> Document:
    return {"name": name, "type": kind}


def run_result_json(result: RunResult) -> Document:
    """Return how a run ended, with each step in the order in which they ended."""
    return {
        "run_id": result.run or None,
        "status": result.status,
        "duration_seconds": round(result.duration_seconds, 3),
        "steps": [
            {
                "asset": step.target.asset,
                "partition": step.target.partition or None,
                "outcome": step.outcome,
                "reasons": _reasons(step.reasons),
                "rows": step.rows,
                "seconds": round(step.seconds, 3),
                "attempts": step.attempts,
                "error": step.error or None,
                "checks": [outcome_json(outcome) for outcome in step.checks],
                "mended": [mended_json(mended) for mended in step.mended],
            }
            for step in result.steps
        ],
        "counts": dict(result.counts),
        "up_to_date": result.up_to_date,
        "left": _left_json(result.left, result.keys),
        "notes": [{"asset": asset, "text": text} for asset, text in result.notes],
        "problem": result.problem or None,
    }


def lineage_json(lineage: Lineage) -> Document:
    """Return lineage; an edge whose `to` is an asset alone decides the rows of the whole."""
    return {
        "assets": [
            {
                "name": asset.name,
                "kind": asset.kind,
                "columns": [_column(c.name, c.type) for c in asset.columns or ()],
            }
            for asset in lineage.assets
        ],
        "edges": [{"from": upstream, "to": downstream} for upstream, downstream in lineage.edges],
        "column_edges": [
            {
                "from": str(link.source),
                "to": str(link.target) if link.target.column else link.target.asset,
                "kind": link.kind,
            }
            for link in lineage.column_links
        ],
        "read_sets": {
            asset: {upstream: read_set_json(read) for upstream, read in reads.items()}
            for asset, reads in lineage.read_sets.items()
        },
    }


def read_set_json(read: ReadSet) -> object:
    """Return the columns that are read, or "*" for everything."""
    return "*" if read.columns is None else list(read.columns)


def assets_json(graph: AssetGraph, names: Iterable[AssetName]) -> list[Document]:
    """Return what is declared of each of `names`, sources included."""
    return [
        _asset_json(graph.assets[name], graph.upstreams.get(name, ()))
        if name in graph.assets
        else _source_json(graph.sources[name])
        for name in names
    ]


def _asset_json(asset: Asset, upstream: Iterable[AssetName]) -> Document:
    options = asset.options
    return {
        "name": asset.name,
        "kind": asset.kind,
        "group": options.group or None,
        "tags": list(options.tags),
        "owners": list(options.owners),
        "upstream": list(upstream),
        "partitions": described(options.partitions) if options.partitions else None,
        "checks": [check.name for check in options.checks],
        "description": options.description,
        "path": str(asset.location),
    }


def _source_json(source: Source) -> Document:
    return {
        "name": source.name,
        "kind": "source",
        "group": source.group or None,
        "tags": list(source.tags),
        "owners": list(source.owners),
        "upstream": [],
        "partitions": described(source.partitions) if source.partitions else None,
        "description": source.description,
        "path": str(source.location),
    }


def status_json(statuses: Iterable[AssetStatus]) -> list[Document]:
    """Return how each asset stands on the three axes."""
    return [_status(status) for status in statuses]


def _status(status: AssetStatus) -> Document:
    return {
        "asset": status.asset,
        "sync": status.sync,
        "freshness": status.freshness,
        "health": status.health,
        "behind": list(status.behind),
        "partitions": dict(status.partitions),
        "ranges": {
            state: [str(one) for one in ranges] for state, ranges in (status.ranges or {}).items()
        },
        "reasons": _reasons(status.reasons),
        "materialized_at": json_instant(status.materialized_at),
        "rows": status.rows,
        "unmet_checks": list(status.unmet),
        "rejected": len(status.rejected),
    }


def freshness_json(page: FreshnessPage) -> list[Document]:
    """Return how old each asset is, in the order of the page."""
    return [_freshness(line) for line in page.lines]


def _freshness(line: FreshnessLine) -> Document:
    facts, held, stated = line.facts, line.bottleneck, line.stated
    return {
        "asset": line.asset,
        "status": facts.status,
        "lag_seconds": rounded(facts.lag_seconds),
        "allowed_seconds": rounded(facts.allowed_seconds),
        "data_time": json_instant(facts.data_time),
        "bottleneck": held
        and {
            "path": list(held.path),
            "root": held.root,
            "run_helps": held.run_helps,
            "text": held.text,
        },
        "due_at": json_instant(facts.due_at),
        "since": json_instant(facts.since),
        "next_deadline": json_instant(facts.next_deadline),
        "owners": list(line.owners),
        "policy": stated and str(stated.policy),
        "policy_from": stated and stated.origin,
        "on_overdue": stated and stated.policy.on_overdue,
        "trend": [rounded(seconds) for seconds in line.trend],
        "notes": list(line.notes),
    }


def freshness_history_json(history: FreshnessHistory) -> Document:
    """Return how old one asset was: from each instant on, until the next, of what time it was."""
    return {
        "asset": history.asset,
        "start": json_instant(history.start),
        "end": json_instant(history.end),
        "policy": history.stated and str(history.stated.policy),
        "points": [
            {"at": json_instant(point.at), "data_time": json_instant(point.data_time)}
            for point in history.points
        ],
        "share_fresh": history.share_fresh,
        "objective": history.stated and history.stated.policy.slo,
        "budget_seconds": rounded(history.budget_seconds),
        "budget_left_seconds": rounded(history.budget_left_seconds),
    }


def asset_page_json(page: AssetPage) -> Document:
    """Return all there is to say of one asset."""
    return {
        "name": page.name,
        "kind": page.kind,
        "path": str(page.location),
        "description": page.description,
        "group": page.group or None,
        "tags": list(page.tags),
        "owners": list(page.owners),
        "upstream": list(page.upstream),
        "downstream": list(page.downstream),
        "columns": None
        if page.schema is None
        else [{**_column(c.name, c.type), "description": c.description} for c in page.schema],
        "read_by": {name: read_set_json(read) for name, read in page.read_by.items()},
        "partitions": None if page.partitions is None else _partitions_json(page.partitions),
        "checks": check_lines_json(page.checks),
        "freshness": page.freshness and _freshness(page.freshness),
        "versions": [_version_json(version) for version in page.versions],
        "files": None if page.files is None else _files_json(page.files),
        "metadata": {
            name: [{"at": json_instant(at), "value": _parsed(value)} for at, value in values]
            for name, values in page.metadata.items()
        },
        "sample": {"columns": list(page.sample_columns), "rows": page.sample_rows},
        "status": None if page.status is None else _status(page.status),
        "text": page.text,
    }


def _partitions_json(page: PartitionsPage) -> Document:
    return {
        "definition": page.definition,
        "count": page.count,
        "published": [str(one) for one in page.published],
        "missing": [str(one) for one in page.missing],
        "obsolete": [str(one) for one in page.obsolete],
        "files": page.files,
        "size_bytes": page.size_bytes,
    }


def _files_json(kept: KeptFiles) -> Document:
    files = [{"path": path, "size_bytes": size} for path, size in kept.files]
    return {"path": kept.path, "size_bytes": kept.size_bytes, "files": files}


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _version_json(version: VersionLine) -> Document:
    return {
        "version": version.version,
        "partition": version.partition or None,
        "materialized_at": json_instant(version.materialized_at),
        "rows": version.rows,
        "size_bytes": version.size_bytes,
        "run_id": version.run,
        "outcome": version.outcome,
        "is_published": version.is_published,
    }


def runs_json(lines: Iterable[RunLine]) -> list[Document]:
    """Return one object for each run, the newest first."""
    return [_run_line(line) for line in lines]


def _run_line(line: RunLine) -> Document:
    return {
        "run_id": line.run_id,
        "status": line.status,
        "environment": line.environment,
        "started_at": json_instant(line.started_at),
        "duration_seconds": line.duration_seconds,
        "counts": dict(line.counts),
        "command": line.command,
    }


def run_page_json(page: RunPage) -> Document:
    """Return one run with its steps."""
    return {**_run_line(page.line), "steps": [_step_line(step) for step in page.steps]}


def _step_line(step: StepLine) -> Document:
    return {
        "asset": step.asset,
        "partition": step.partition or None,
        "outcome": step.outcome,
        "reasons": [{"code": code, "text": text} for code, text in step.reasons],
        "rows": step.rows,
        "seconds": round(step.seconds, 3),
        "attempts": step.attempts,
        "error": step.error or None,
        "output": step.output,
        "checks": [outcome_json(outcome) for outcome in step.checks],
    }


def rows_json(rows: Rows) -> Document:
    """Return a result as its columns and rows."""
    return {
        "columns": [_column(column.name, column.type) for column in rows.columns],
        "rows": rows.rows,
    }


def environments_json(lines: Iterable[EnvironmentLine]) -> list[Document]:
    """Return one object for each environment."""
    return [
        {
            "name": line.name,
            "assets": line.assets,
            "created_at": json_instant(line.created_at),
            "last_published_at": json_instant(line.last_published_at),
        }
        for line in lines
    ]


def dynamic_keys_json(lines: Iterable[DynamicKeys]) -> list[Document]:
    """Return one object for each of the dynamic partitions."""
    return [
        {"name": line.name, "keys": list(line.keys), "assets": list(line.assets)} for line in lines
    ]


def dynamic_change_json(change: DynamicChange) -> Document:
    """Return what was added and removed, and what was there already."""
    return {
        "name": change.name,
        "added": list(change.added),
        "removed": list(change.removed),
        "known": list(change.known),
    }


def publications_json(lines: Iterable[PublicationLine]) -> list[Document]:
    """Return one object for each publication, the newest first."""
    return [
        {
            "number": line.number,
            "published_at": json_instant(line.published_at),
            "run_id": line.run,
            "published": line.published,
            "withdrawn": line.withdrawn,
            "command": line.command,
        }
        for line in lines
    ]


def publication_json(summary: PublicationSummary) -> Document:
    """Return what moved in an environment."""
    return asdict(summary)


def gc_json(result: GcResult) -> Document:
    """Return what was, or would be, removed."""
    return asdict(result)


def audit_json(result: AuditResult) -> Document:
    """Return whether the trail holds, and its newest events."""
    return {
        "events": result.events,
        "ok": result.ok,
        "problem": result.problem or None,
        "tail": [
            {
                "event": event.event,
                "happened_at": json_instant(event.happened_at),
                "kind": event.kind,
                "run_id": event.run,
                "environment": event.environment,
                "asset": event.asset,
                "detail": dict(event.detail),
            }
            for event in result.tail
        ],
    }


def findings_json(findings: Iterable[Finding]) -> list[Document]:
    """Return what was looked at, and what was found."""
    return [asdict(finding) for finding in findings]


def error_json(error: Mapping[str, object]) -> Document:
    """Return the one shape of every error."""
    return {"error": dict(error)}
