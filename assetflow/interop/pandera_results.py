"""A schema of pandera as a check: what does not fit is told as a result of ours."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from assetflow.model.checks import CheckResult

MOST_TOLD = 20
FAILED_CHECKS = "failed_checks"
"""The column that says of a failing row what it failed; one that the data has keeps its name."""


class _Case(NamedTuple):
    """One thing that does not fit; `row` is None where it is not about a row."""

    check: str
    row: object


def pandera_result(schema: Any, frame: Any) -> CheckResult:
    """Return how a `frame` of pandas or polars fits a `schema` of pandera, a model included.

    All that is wrong is told at once. What is wrong with columns cannot be tolerated; of
    rows, as many may fail as the check says.
    """
    from pandera.errors import SchemaErrors

    # Of a lazy frame pandera would look at the columns only.
    table = frame.collect() if hasattr(frame, "collect") else frame
    try:
        schema.validate(table, lazy=True)
    except SchemaErrors as errors:
        return _unfit(_cases(errors.failure_cases), table)
    return CheckResult(passed=True, failures=0, rows=len(table))


def _cases(found: Any) -> list[_Case]:
    """Return the table of failures, of pandas or polars, as values."""
    rows = found.to_dicts() if hasattr(found, "to_dicts") else found.to_dict("records")
    return [_Case(_named(row), _row_of(row)) for row in rows]


def _named(row: Mapping[str, Any]) -> str:
    """Return which check of the schema failed: with its column, or the column that is wrong."""
    check = str(row["check"])
    if row["schema_context"] == "Column" and row["column"] is not None:
        return f"{row['column']}: {check}"
    return f"{check} {row['failure_case']}" if _row_of(row) is None else check


def _row_of(row: Mapping[str, Any]) -> object:
    """Return the label of the row that failed, None of what is wrong with a whole column.

    A wrong type is told with every row of its column. Where there is no label, pandas has NaN.
    """
    label = row["index"]
    is_of_column = str(row["check"]).startswith("dtype(")
    return None if is_of_column or label is None or label != label else label  # noqa: PLR0124


def _unfit(cases: Sequence[_Case], table: Any) -> CheckResult:
    counts = Counter(case.check for case in dict.fromkeys(cases))
    by_row: dict[object, list[str]] = {}
    for case in dict.fromkeys(cases):
        if case.row is not None:
            by_row.setdefault(case.row, []).append(case.check)
    of_columns = [case.check for case in cases if case.row is None]
    told = [f"{check} ({count:,})" if count > 1 else check for check, count in counts.items()]
    more = [f"and {len(told) - MOST_TOLD:,} more"] if len(told) > MOST_TOLD else []
    return CheckResult(
        passed=False,
        message="\n".join([*told[:MOST_TOLD], *more]),
        observed=", ".join(dict.fromkeys(of_columns)),
        bound="fits the schema",
        failures=None if of_columns else len(by_row),
        rows=len(table),
        failing_rows=_rows(table, by_row) if by_row else None,
    )


def _rows(table: Any, by_row: Mapping[object, Sequence[str]]) -> Any:
    """Return the failing rows, in the order of the table, and before them what each failed."""
    name = FAILED_CHECKS
    while name in table.columns:
        name += "_"
    if hasattr(table, "loc"):
        found = table.loc[table.index.isin(list(by_row))]
        texts = [", ".join(by_row[label]) for label in found.index]
        found = found.reset_index(drop=True)
        found.insert(0, name, texts)
        return found
    import polars as pl

    places = [place for place in range(len(table)) if place in by_row]
    texts = [", ".join(by_row[place]) for place in places]
    return table[places].insert_column(0, pl.Series(name, texts))
