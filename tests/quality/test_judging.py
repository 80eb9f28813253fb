"""What an answer says, for each kind: whether it passed, what was seen, what was wanted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assetflow.model.check_options import (
    AcceptedValues,
    Aggregate,
    Anomaly,
    Between,
    ColumnTypes,
    Drift,
    EqualRows,
    Matches,
    NotNull,
    Recent,
    References,
    RowCount,
    UnchangedSchema,
    Unique,
)
from assetflow.model.checks import CheckResult, FunctionCheck, contract_check
from assetflow.model.columns import Column
from assetflow.quality.answers import Answer, Broken, Known, Point
from assetflow.quality.fitting import unfit
from assetflow.quality.judging import judged, judged_result

NOW = datetime(2026, 1, 22, 12, tzinfo=UTC)
KNOWN = Known(NOW)
SCHEMA = (
    Column("id", "BIGINT"),
    Column("amount", "DOUBLE"),
    Column("name", "VARCHAR"),
    Column("day", "DATE"),
    Column("tags", "VARCHAR[]"),
    Column("is_open", "BOOLEAN"),
)
MICROSECONDS = 1_000_000
PROMISED = contract_check((Column("id", "INT8", nullable=False), Column("gone", "DATE")), "exact")[
    0
]

# Options, the values that were measured, and what the answer reads like.
CASES = [
    (NotNull(columns=["id"]), (0,), "passed | 0 of 1,000 rows failed | no nulls"),
    (NotNull(columns=["id"]), (12,), "failed | 12 of 1,000 rows failed | no nulls"),
    (
        NotNull(columns=["id"], severity="warn"),
        (12,),
        "warned | 12 of 1,000 rows failed | no nulls",
    ),
    (
        NotNull(columns=["id"], max_failures=12),
        (12,),
        "passed | 12 of 1,000 rows failed | no nulls, but for 12 rows",
    ),
    (
        NotNull(columns=["id"], max_fraction=0.011),
        (12,),
        "failed | 12 of 1,000 rows failed | no nulls, but for 1.1 % of the rows",
    ),
    (
        NotNull(columns=["id"], max_fraction=0.1, where="id > 0"),
        (12, 119),
        "failed | 12 of 119 rows failed | no nulls, but for 10 % of the rows",
    ),
    (
        NotNull(columns=["id"], max_fraction=0.29, where="id > 0"),
        (29, 100),
        "passed | 29 of 100 rows failed | no nulls, but for 29 % of the rows",
    ),
    (NotNull(columns=["id"]), (None,), "passed | 0 of 1,000 rows failed | no nulls"),
    (Unique(columns=["id"]), (990, 980), "failed | 10 of 1,000 rows failed | each once"),
    (
        AcceptedValues(column="id", values=list(range(10))),
        (1,),
        "failed | 1 of 1,000 rows failed | one of 0, 1, 2, 3, 4, 5, 6, 7 and 2 more",
    ),
    (
        Between(column="amount", min=0, max=1e6),
        (1,),
        "failed | 1 of 1,000 rows failed | between 0 and 1,000,000",
    ),
    (RowCount(min=1001), (), "failed | 1,000 rows | at least 1,001 rows"),
    (RowCount(max=5, where="id > 0"), (5,), "passed | 5 rows | at most 5 rows"),
    (RowCount(min=5, max=5, where="id > 0"), (4,), "failed | 4 rows | exactly 5 rows"),
    (
        References(columns=["id"], to=["stores.id"]),
        (3,),
        "failed | 3 of 1,000 rows failed | in stores",
    ),
    (
        Aggregate(function="mean", column="amount", min=3),
        (2.5,),
        "failed | mean 2.5 | at least 3",
    ),
    (
        Aggregate(function="mean", column="amount", min=3),
        (float("nan"),),
        "failed | mean nan | at least 3",
    ),
    (
        Aggregate(function="mean", column="amount", min=3),
        (None,),
        "passed | no values | at least 3",
    ),
    (
        Aggregate(function="distinct", column="name", max=4),
        (5,),
        "failed | distinct 5 | at most 4",
    ),
    (
        Aggregate(function="max", column="day", max="2026-01-05"),
        ("2026-01-06", True),
        "failed | max 2026-01-06 | at most 2026-01-05",
    ),
    (
        Recent(column="day", max_age="1d"),
        (int((NOW - timedelta(hours=36)).timestamp()) * MICROSECONDS,),
        "failed | newest is 2026-01-21 00:00:00, 1d 12h ago | at most 1d ago",
    ),
    (
        Recent(column="day", max_age="2d"),
        (int((NOW - timedelta(hours=36)).timestamp()) * MICROSECONDS,),
        "passed | newest is 2026-01-21 00:00:00, 1d 12h ago | at most 2d ago",
    ),
    (
        Recent(column="day", max_age="2d"),
        (3093496444800000000,),
        "passed | newest is in the year 99,999, -35783881d 12h ago | at most 2d ago",
    ),
    (Recent(column="day", max_age="2d"), (None,), "failed | no values | at most 2d ago"),
    (
        ColumnTypes(types={"ID": "int8", "day": "timestamp", "new": "int"}),
        ("BIGINT", "TIMESTAMP", "INTEGER"),
        (
            "failed | column 'day' is DATE, not TIMESTAMP; there is no column 'new' | "
            "columns of these types"
        ),
    ),
    (UnchangedSchema(), (), "learning |  | the columns of the published version"),
    (
        EqualRows(to="ledger"),
        (2, 1),
        "failed | 2 rows only here, 1 row only there | the rows of ledger",
    ),
    (EqualRows(to="ledger"), (0, 0), "passed | 1,000 rows, all equal | the rows of ledger"),
    (Anomaly(metric="row_count"), (1000,), "learning | 1,000 rows | "),
    (Drift(column="amount"), (), "learning |  | as in previous"),
    (
        Drift(column="amount"),
        ([[500, 900], [500, 100]],),
        "failed | psi 0.876241 | at most 0.2",
    ),
]


@pytest.mark.parametrize(("options", "values", "expected"), CASES)
def test_answers_read_like_this(options, values, expected):
    found = judged(options.frozen(), SCHEMA, values, 1000, KNOWN)

    assert f"{found.status} | {found.observed} | {found.bound}" == expected


def test_a_broken_value_is_an_error_and_no_failure():
    check = NotNull(columns=["id"], severity="warn").frozen()

    found = judged(check, SCHEMA, (Broken("out of memory"),), 1000, KNOWN)

    assert found == Answer("errored", bound="no nulls", message="out of memory")


UNFIT = [
    (NotNull(columns=["ID", "no", "nor"]), "there is no column 'no', 'nor'"),
    (Matches(column="id", pattern="a"), "column 'id' is BIGINT, and it takes a text"),
    (Between(column="name", min=5), "column 'name' is VARCHAR, and it takes a number"),
    (
        Between(column="id", min="b"),
        "column 'id' is BIGINT, and it takes a text, a date or an instant",
    ),
    (
        AcceptedValues(column="id", values=[True, "a"]),
        (
            "column 'id' is BIGINT, and it takes a text, a date or an instant; "
            "column 'id' is BIGINT, and it takes true and false"
        ),
    ),
    (
        Recent(column="name", max_age=5),
        "column 'name' is VARCHAR, and it takes a date or an instant",
    ),
    (
        Aggregate(function="sum", column="name", min=5),
        "column 'name' is VARCHAR, and it takes a number",
    ),
    (
        Drift(column="tags"),
        "column 'tags' is VARCHAR[], and it takes a plain value, not a nested one",
    ),
    (Between(column="day", min="2026-01-01"), ""),
    (AcceptedValues(column="is_open", values=[True]), ""),
    (Aggregate(function="max", column="day", max="2026-01-01"), ""),
    (ColumnTypes(types={"nowhere": "int"}), ""),
]


@pytest.mark.parametrize(("options", "expected"), UNFIT)
def test_what_does_not_fit_says_why(options, expected):
    check = options.frozen()

    assert unfit(check, SCHEMA) == expected
    if expected:
        assert judged(check, SCHEMA, (), 1000, KNOWN).message == expected


def test_a_contract_says_all_that_breaks_it():
    found = judged(PROMISED, SCHEMA[:2], ("BIGINT", "DATE", 3), 1000, KNOWN)

    assert found.status == "failed"
    assert found.observed == (
        "there is no column 'gone'; column 'amount' is not declared; "
        "3 of 1,000 rows are null in 'id'"
    )


@pytest.mark.parametrize(
    ("before", "observed"),
    [
        (SCHEMA, "as promised"),
        ((*SCHEMA[1:], SCHEMA[0]), "the columns are in another order"),
        (
            (SCHEMA[0]._replace(type="INTEGER"), *SCHEMA[1:5], Column("old", "DATE")),
            "column 'old' is gone; column 'is_open' is new; column 'id' is BIGINT, not INTEGER",
        ),
    ],
)
def test_schemas_are_held_against_the_version_before(before, observed):
    known = replace(KNOWN, published=before)

    found = judged(UnchangedSchema().frozen(), SCHEMA, (), 1000, known)

    assert (found.observed, found.status == "passed") == (observed, before == SCHEMA)


def test_an_anomaly_says_what_was_expected():
    history = tuple(Point(NOW - timedelta(days=day), 1000.0) for day in range(1, 9))
    check = Anomaly(metric="row_count").frozen()

    found = judged(check, SCHEMA, (10,), 10, replace(KNOWN, at=NOW, history=history))

    assert (found.status, found.observed, found.metric) == ("failed", "10 rows", 10.0)
    assert found.bound.endswith("as a rule 1,000")


FUNCTION = replace(NotNull(columns=["id"]).frozen(), kind="function", body=FunctionCheck(print))


@pytest.mark.parametrize(
    ("result", "tolerance", "expected"),
    [
        (CheckResult(passed=True), 0, "passed |  | "),
        (CheckResult(passed=False, message="no"), 0, "failed |  | "),
        (
            CheckResult(passed=False, failures=3, rows=10),
            3,
            "passed | 3 of 10 rows failed | but for 3 rows",
        ),
        (CheckResult(passed=False, failures=4), 3, "failed | 4 rows failed | but for 3 rows"),
        (CheckResult(passed=False, observed=0.4, bound=0.5), 0, "failed | 0.4 | 0.5"),
    ],
)
def test_results_of_functions_are_judged_by_the_tolerance(result, tolerance, expected):
    found = judged_result(replace(FUNCTION, max_failures=tolerance), result)

    assert f"{found.status} | {found.observed} | {found.bound}" == expected
    assert found.message == result.message
