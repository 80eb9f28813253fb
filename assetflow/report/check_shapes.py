"""The documented JSON of checks. Keys may be added, never renamed."""

from collections.abc import Iterable
from typing import TypeAlias

from assetflow.planning.check_pages import CheckLine, CheckOutcome, ChecksPage, FailingRows
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
