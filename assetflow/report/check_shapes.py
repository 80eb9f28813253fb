"""The documented JSON of checks and repairs. Keys may be added, never renamed."""

from collections.abc import Iterable
from typing import TypeAlias

from assetflow.planning.check_pages import (
    CheckLine,
    CheckOutcome,
    ChecksPage,
    FailingRows,
    ProposalsPage,
)
from assetflow.planning.repair_pages import (
    DeadLetterLine,
    Mended,
    RepairPage,
    RepairUpstream,
)
from assetflow.quality.findings import finding
from assetflow.report.json_values import json_instant

Document: TypeAlias = "dict[str, object]"


def checks_json(page: ChecksPage) -> list[Document]:
    """Return one object for each check of each version."""
    return check_lines_json(page.lines)


def check_lines_json(lines: Iterable[CheckLine]) -> list[Document]:
    """Return one object for each of `lines`, in their order."""
    return [_line(line) for line in lines]


def _line(line: CheckLine) -> Document:
    return {
        "asset": line.asset,
        "partition": line.partition or None,
        **outcome_json(line.outcome),
        "sample": None if line.failing is None else _failing(line.failing),
        "version": line.version,
        "is_published": line.is_published,
        "data_path": line.data or None,
        "description": line.description,
        "path": None if line.place is None else str(line.place),
        "evaluated_at": json_instant(line.evaluated_at),
        "run_id": line.run,
        "seconds": round(line.seconds, 3),
        "history": [
            {"at": json_instant(one.evaluated_at), "status": one.status, "metric": one.metric}
            for one in line.history
        ],
    }


def outcome_json(outcome: CheckOutcome) -> Document:
    """Return how one check came out."""
    answer = outcome.answer
    return {
        "check": outcome.check,
        "kind": outcome.kind,
        "columns": list(outcome.columns),
        "severity": outcome.severity,
        "on_failure": outcome.on_failure,
        "status": answer.status,
        "carried_over": outcome.carried_over,
        "observed": answer.observed or None,
        "bound": answer.bound or None,
        "failures": answer.failures,
        "rows": answer.rows,
        "metric": answer.metric,
        "quarantined": outcome.quarantined,
        "message": answer.message or None,
        "sql": answer.sql or None,
    }


def _failing(failing: FailingRows) -> Document:
    return {
        "columns": [{"name": column.name, "type": column.type} for column in failing.columns],
        "rows": failing.rows,
        "total": failing.total,
        "path": failing.place or None,
    }


def repair_json(page: RepairPage) -> Document:
    """Return the plan of a repair."""
    return {
        "environment": page.environment,
        "unasked": list(page.unasked),
        "repairs": [
            {
                "asset": line.asset,
                "partitions": [key or None for key in line.partitions],
                **outcome_json(line.outcome),
                "state": line.state,
                "chosen": [_upstream(one) for one in line.chosen],
                "left_out": [_upstream(one) for one in line.left_out],
                "attempts": line.attempts,
                "max_attempts": line.max_attempts,
                "not_before": json_instant(line.not_before),
            }
            for line in page.lines
        ],
    }


def _upstream(one: RepairUpstream) -> Document:
    return {
        "asset": one.asset,
        "partitions": [key or None for key in one.partitions],
        "reason": dict(one.reason.as_json()),
        "path": [str(name) if name.column else name.asset for name in one.path],
    }


def mended_json(mended: Mended) -> Document:
    """Return what a repair changed for one check."""
    return {
        "check": mended.check,
        "status_before": mended.before.status,
        "failures_before": mended.before.failures,
        "status": mended.after.status,
        "failures": mended.after.failures,
        "rows": mended.after.rows,
    }


def dead_letters_json(lines: Iterable[DeadLetterLine]) -> list[Document]:
    """Return one object for each partition whose repairs are used up."""
    return [
        {
            "asset": line.asset,
            "partition": line.partition or None,
            "check": line.check,
            "found": finding(line.answer),
            "failures": line.answer.failures,
            "rows": line.answer.rows,
            "attempts": line.attempts,
            "since": json_instant(line.since),
            "run_id": line.run,
            "note": line.note or None,
            "resolved_at": json_instant(line.resolved_at),
        }
        for line in lines
    ]


def proposals_json(page: ProposalsPage) -> list[Document]:
    """Return one object for each check that is proposed."""
    return [
        {
            "asset": page.asset,
            "kind": one.kind,
            "python": one.python,
            "header": one.header,
            "evidence": one.evidence,
        }
        for one in page.proposals
    ]
