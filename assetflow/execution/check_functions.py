"""Call the functions with which users check: what they return is an answer, and failing rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assetflow.errors import (
    AssetflowError,
    AssetReturnedNothing,
    AssetReturnedWrongThing,
    CheckReturnedWrongThing,
)
from assetflow.execution.compute import opened
from assetflow.execution.deadlines import deadline
from assetflow.execution.frames import user_traceback
from assetflow.execution.locks import Cancelled
from assetflow.model.checks import Check, CheckResult, FunctionCheck
from assetflow.model.context import AssetContext, partition_of
from assetflow.quality.answers import Answer
from assetflow.quality.judging import judged_result
from assetflow.warehouse.auditing import FoundRows
from assetflow.warehouse.returned import as_returned

if TYPE_CHECKING:
    import duckdb

    from assetflow.execution.auditor import Subject
    from assetflow.execution.compute import InputData, Maker


def call_check(
    check: Check,
    data: Sequence[InputData],
    subject: Subject,
    maker: Maker,
) -> tuple[Answer, FoundRows]:
    """Call the function of `check` with `data`; what goes wrong in it is its answer."""
    asset = maker.knowledge.graph.assets[subject.target.asset]
    limited_to = replace(asset.options, timeout_seconds=check.timeout_seconds)
    cursor = maker.means.engine.cursor()
    try:
        with deadline(replace(asset, options=limited_to), cursor, maker.means.ending) as limited:
            result, found = limited(lambda: _result(check, data, subject, maker, cursor))
    except Cancelled:
        raise
    except AssetflowError as error:
        return Answer("errored", message=str(error)), FoundRows()
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - the user's own code
        message = user_traceback(error, maker.place.root)
        return Answer("errored", message=message), FoundRows()
    return judged_result(check, result), found


def _result(
    check: Check,
    data: Sequence[InputData],
    subject: Subject,
    maker: Maker,
    cursor: duckdb.DuckDBPyConnection,
) -> tuple[CheckResult, FoundRows]:
    """Return what the function of `check` says, with the failing rows that are kept."""
    body = check.body
    assert isinstance(body, FunctionCheck)
    arguments = {item.parameter: opened(cursor, item) for item in data}
    if body.context:
        arguments[body.context] = _context(subject, maker)
    value = body.function(**arguments)
    rows = subject.version.rows
    if isinstance(value, CheckResult):
        if value.failing_rows is None:
            return value, FoundRows()
        count, found = _failing(cursor, value.failing_rows, check.kept_rows)
        return replace(value, failures=value.failures or count, rows=value.rows or rows), found
    if _is_truth(value):
        return CheckResult(bool(value)), FoundRows()
    try:
        count, found = _failing(cursor, value, check.kept_rows)
    except (AssetReturnedNothing, AssetReturnedWrongThing) as error:
        raise CheckReturnedWrongThing(check.name, value) from error
    return CheckResult(count == 0, failures=count, rows=rows, metric=float(count)), found


def _context(subject: Subject, maker: Maker) -> AssetContext:
    keys = maker.knowledge.slices.keys[subject.target.asset]
    partition = subject.target.partition
    return AssetContext(
        subject.target.asset,
        partition=partition_of(keys, [partition] if partition in keys else []),
        environment=maker.place.environment,
    )


def _is_truth(value: object) -> bool:
    """Whether `value` is a bool, one of numpy's included."""
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _failing(cursor: duckdb.DuckDBPyConnection, value: Any, most: int) -> tuple[int, FoundRows]:
    """Return how many rows there are in a table in any form, and the first of them."""
    if isinstance(value, list) and not value:
        return 0, FoundRows()
    with as_returned(cursor, value, None) as returned, returned.errors():
        names = tuple(column.name for column in returned.schema)
        if returned.relation is not None:
            ((count,),) = returned.relation.aggregate("count(*)").fetchall()
            return int(count), FoundRows(names, tuple(returned.relation.limit(most).fetchall()))
        # A stream can be read once: its rows are kept before they are counted.
        cursor.execute(f"create or replace temp table {_KEPT} as from {returned.view}")
        ((count,),) = cursor.execute(f"select count(*) from {_KEPT}").fetchall()
        rows = cursor.execute(f"from {_KEPT} limit {most:d}").fetchall()
        cursor.execute(f"drop table {_KEPT}")
        return int(count), FoundRows(names, tuple(rows))


_KEPT = "assetflow_failing_rows"
