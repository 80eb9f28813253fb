"""Call the functions with which users check: what they return is an answer, and failing rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from assetflow.errors import (
    AssetflowError,
    AssetReturnedNothing,
    AssetReturnedWrongThing,
    CheckReturnedWrongThing,
    StepTimedOut,
)
from assetflow.execution.compute import opened
from assetflow.execution.deadlines import deadline
from assetflow.execution.frames import user_traceback
from assetflow.execution.locks import Cancelled
from assetflow.model.checks import Check, CheckResult, FunctionCheck
from assetflow.model.context import AssetContext, partition_of
from assetflow.quality.answers import Answer
from assetflow.quality.judging import judged_result
from assetflow.quality.wording import finite, plain_text
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
    except StepTimedOut:
        message = f"it took longer than {check.timeout_seconds:g}s"
        return Answer("errored", message=message), FoundRows()
    except AssetflowError as error:
        return Answer("errored", message=str(error)), FoundRows()
    except BaseException as error:  # noqa: BLE001 - the user's own code; polars panics like that
        message = plain_text(user_traceback(error, maker.place.root))
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
    if _is_truth(value):
        return CheckResult(bool(value)), FoundRows()
    if isinstance(value, CheckResult):
        told = _plain(check, value)
        if value.failing_rows is None:
            return told, FoundRows()
        count, found = _failing(cursor, check, value.failing_rows)
        return replace(told, failures=told.failures or count, rows=told.rows or rows), found
    count, found = _failing(cursor, check, value)
    return CheckResult(count == 0, failures=count, rows=rows, metric=float(count)), found


def _plain(check: Check, told: CheckResult) -> CheckResult:
    """Return `told` with nothing but what can be kept: numbers of numpy and the like as Python's.

    Raises CheckReturnedWrongThing where it says nothing that can be told.
    """
    counts = [one for one in (told.failures, told.rows) if one is not None]
    is_number = told.metric is None or isinstance(told.metric, Real | Decimal)
    if not _is_truth(told.passed) or not all(map(_is_count, counts)) or not is_number:
        raise CheckReturnedWrongThing(check.name, told)
    return CheckResult(
        passed=bool(told.passed),
        message=plain_text(told.message),
        observed=plain_text(told.observed),
        bound=plain_text(told.bound),
        failures=None if told.failures is None else int(told.failures),
        rows=None if told.rows is None else int(told.rows),
        metric=None if told.metric is None else finite(float(told.metric)),
    )


def _is_count(value: object) -> bool:
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    return is_whole and 0 <= int(str(value)) <= MOST_ROWS


MOST_ROWS = 2**63 - 1


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


def _failing(cursor: duckdb.DuckDBPyConnection, check: Check, value: Any) -> tuple[int, FoundRows]:
    """Return how many rows there are in a table in any form, and the first of them.

    Raises CheckReturnedWrongThing for what is no table.
    """
    if isinstance(value, list) and not value:
        return 0, FoundRows()
    try:
        return _rows(cursor, value, check.kept_rows)
    except (AssetReturnedNothing, AssetReturnedWrongThing) as error:
        raise CheckReturnedWrongThing(check.name, value) from error


def _rows(cursor: duckdb.DuckDBPyConnection, value: Any, most: int) -> tuple[int, FoundRows]:
    with as_returned(cursor, value, None) as returned, returned.errors():
        columns = tuple((column.name, column.type) for column in returned.schema)
        if returned.relation is not None:
            ((count,),) = returned.relation.aggregate("count(*)").fetchall()
            return int(count), FoundRows(columns, tuple(returned.relation.limit(most).fetchall()))
        # A stream can be read once: its rows are kept before they are counted.
        cursor.execute(f"create or replace temp table {_KEPT} as from {returned.view}")
        ((count,),) = cursor.execute(f"select count(*) from {_KEPT}").fetchall()
        rows = cursor.execute(f"from {_KEPT} limit {most:d}").fetchall()
        cursor.execute(f"drop table {_KEPT}")
        return int(count), FoundRows(columns, tuple(rows))


_KEPT = "assetflow_failing_rows"
