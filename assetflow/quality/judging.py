"""What measured values mean: how a check came out, in words that people compare."""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from assetflow.model.checks import Check, CheckResult
from assetflow.model.columns import Schema
from assetflow.quality.anomaly import FEWEST_POINTS, HISTORY, SENSITIVITY, expected_range
from assetflow.quality.answers import Answer, Broken, CheckStatus, Known
from assetflow.quality.contracts import broken_types, schema_changes
from assetflow.quality.drift import THRESHOLDS, Counts, drift
from assetflow.quality.findings import failed_rows
from assetflow.quality.fitting import as_tuple, unfit
from assetflow.quality.measures import required_columns
from assetflow.quality.wording import (
    figure_text,
    finite,
    instant_text,
    number,
    promise,
    real,
    rows_text,
    short,
    span,
    tolerance,
)

Values = Sequence[object]


class _Found(NamedTuple):
    """What one kind of check found; `fails` is None where it cannot tell yet."""

    fails: bool | None
    observed: str
    bound: str
    failures: int | None = None
    rows: int | None = None
    metric: float | None = None
    message: str = ""


def judged(check: Check, schema: Schema, values: Values, rows: int, known: Known) -> Answer:
    """Return how `check` came out of a table of `rows` rows with the columns of `schema`.

    `values` are those of its measures and then of its queries. Where one is Broken, or
    the columns do not fit, the check errored.
    """
    problem = unfit(check, schema) or next(
        (value.message for value in values if isinstance(value, Broken)), ""
    )
    if problem:
        return Answer("errored", bound=promise(check), message=problem)
    found = _KINDS[check.kind](check, schema, values, rows, known)
    return _answer(check, found)


def judged_result(check: Check, result: CheckResult) -> Answer:
    """Return how a check came out whose function returned `result`.

    Where it counts failures, the tolerance of the check decides; what failed without any
    is not tolerated.
    """
    fails = not result.passed
    if fails and result.failures:
        fails = not _is_borne(check, result.failures, result.rows)
    counted = "" if result.failures is None else failed_rows(result.failures, result.rows)
    found = _Found(
        fails,
        str(result.observed) or counted,
        str(result.bound) or tolerance(check),
        result.failures,
        result.rows,
        result.metric,
        result.message,
    )
    return _answer(check, found)


def _answer(check: Check, found: _Found) -> Answer:
    status: CheckStatus = "passed"
    if found.fails is None:
        status = "learning"
    elif found.fails:
        status = "warned" if check.severity == "warn" else "failed"
    return Answer(status, *found[1:6], message=found.message)


def _counted(check: Check, failures: int, rows: int) -> _Found:
    return _Found(
        fails=not _is_borne(check, failures, rows),
        observed=failed_rows(failures, rows),
        bound=promise(check),
        failures=failures,
        rows=rows,
        metric=float(failures),
    )


def _is_borne(check: Check, failures: int, rows: int | None) -> bool:
    """Whether so many failures are tolerated; 0.29 of 100 rows are 29, though not as floats."""
    most = Decimal(repr(check.max_fraction)) * (rows or 0)
    return failures <= check.max_failures or failures <= most


def _whole(value: object) -> int:
    """Return a count; DuckDB gives NULL for what it counts in no rows."""
    return int(str(value or 0))


def _of_rows(check: Check, _: Schema, values: Values, rows: int, __: Known) -> _Found:
    failures, *considered = map(_whole, values)
    return _counted(check, failures, considered[0] if check.where else rows)


def _of_keys(check: Check, _: Schema, values: Values, rows: int, __: Known) -> _Found:
    keyed, distinct, *considered = map(_whole, values)
    return _counted(check, keyed - distinct, considered[0] if check.where else rows)


def _of_row_count(check: Check, _: Schema, values: Values, rows: int, __: Known) -> _Found:
    count = _whole(values[0]) if check.where else rows
    fails = _is_beyond(check, count)
    return _Found(fails, rows_text(count), promise(check), metric=float(count))


def _is_beyond(check: Check, value: float) -> bool:
    bounds = (check.argument("min"), check.argument("max"))
    low, high = (None if bound is None else float(str(bound)) for bound in bounds)
    is_between = (low is None or value >= low) and (high is None or value <= high)
    return not is_between or math.isnan(value)


def _of_figure(check: Check, _: Schema, values: Values, __: int, ___: Known) -> _Found:
    """Judge a figure; of an extreme, DuckDB compared it."""
    value, *beyond = values
    if value is None:
        return _Found(fails=False, observed="no values", bound=promise(check))
    metric = number(value)
    fails = bool(beyond and beyond[0]) or (metric is not None and math.isnan(metric))
    if not beyond and metric is not None:
        fails = _is_beyond(check, metric)
    return _Found(fails, figure_text(check, value), promise(check), metric=finite(metric))


def _of_age(check: Check, _: Schema, values: Values, __: int, known: Known) -> _Found:
    if values[0] is None:
        return _Found(fails=True, observed="no values", bound=promise(check))
    newest = _whole(values[0]) / 1e6
    age = known.now.timestamp() - newest
    observed = f"newest is {instant_text(newest)}, {span(age)} ago"
    return _Found(age > real(check.argument("max_age"), 0), observed, promise(check), metric=age)


def _of_types(check: Check, schema: Schema, values: Values, _: int, __: Known) -> _Found:
    return _differing(check, broken_types(check, schema, tuple(map(str, values))))


def _of_contract(check: Check, schema: Schema, values: Values, rows: int, _: Known) -> _Found:
    declared = len(as_tuple(check.argument("types")))
    problems = list(broken_types(check, schema, tuple(map(str, values[:declared]))))
    nulls = zip(required_columns(check, schema), map(_whole, values[declared:]), strict=True)
    problems += [
        f"{count:,} of {rows:,} rows are null in '{name}'" for name, count in nulls if count
    ]
    return _differing(check, problems)


def _of_schema(check: Check, schema: Schema, _: Values, __: int, known: Known) -> _Found:
    if known.published is None:
        return _Found(None, "", promise(check), message="there is no earlier version")
    return _differing(check, schema_changes(known.published, schema))


def _differing(check: Check, problems: Sequence[str]) -> _Found:
    return _Found(bool(problems), "; ".join(problems) or "as promised", promise(check))


def _of_anomaly(check: Check, _: Schema, values: Values, rows: int, known: Known) -> _Found:
    value = number(values[0]) if values else float(rows)
    at = known.at or known.now
    sensitivity = real(check.argument("sensitivity"), SENSITIVITY)
    limit = int(real(check.argument("history"), HISTORY))
    metric = finite(value)
    observed = "no values" if value is None else figure_text(check, value)
    expected = expected_range(known.history, at, sensitivity, limit)
    if expected is None:
        seen = len({point.at for point in known.history} - {at})
        told = f"learning: {seen} of {FEWEST_POINTS} earlier versions"
        return _Found(None, observed, "", metric=metric, message=told)
    low, level, high = expected
    bound = f"between {short(low)} and {short(high)}, as a rule {short(level)}"
    fails = metric is None or not low <= metric <= high
    return _Found(fails, observed, bound, metric=metric)


def _of_drift(check: Check, _: Schema, values: Values, __: int, ___: Known) -> _Found:
    method = str(check.argument("method"))
    bins = [Counts(*map(float, pair)) for pair in _pairs(values[0] if values else ())]
    found = drift(method, bins)
    if found is None:
        return _Found(None, "", promise(check), message="there is no earlier data to compare with")
    threshold = max(real(check.argument("threshold"), THRESHOLDS[method]), found.chance)
    bound = f"at most {short(threshold)}"
    if threshold == found.chance:
        bound += ", what chance may do to so few rows"
    observed = f"{method} {short(found.distance)}"
    return _Found(found.distance > threshold, observed, bound, metric=found.distance)


def _pairs(value: object) -> Sequence[Sequence[float]]:
    return value if isinstance(value, list) else ()


def _of_equality(check: Check, _: Schema, values: Values, rows: int, __: Known) -> _Found:
    surplus, missing = map(_whole, values)
    found = _counted(check, surplus + missing, rows)
    if not surplus + missing:
        return found._replace(observed=f"{rows_text(rows)}, all equal")
    return found._replace(
        observed=f"{rows_text(surplus)} only here, {rows_text(missing)} only there"
    )


_Judge = Callable[[Check, Schema, Values, int, Known], _Found]
_KINDS: Mapping[str, _Judge] = {
    "not_null": _of_rows,
    "accepted_values": _of_rows,
    "between": _of_rows,
    "matches": _of_rows,
    "string_length": _of_rows,
    "expression": _of_rows,
    "references": _of_rows,
    "monotonic": _of_rows,
    "query": _of_rows,
    "unique": _of_keys,
    "row_count": _of_row_count,
    "aggregate": _of_figure,
    "recent": _of_age,
    "column_types": _of_types,
    "contract": _of_contract,
    "unchanged_schema": _of_schema,
    "anomaly": _of_anomaly,
    "drift": _of_drift,
    "equal_rows": _of_equality,
}
