"""Schemas of pandera as checks, with pandas and with polars."""

from typing import Any

import pandas as pd
import pandera.pandas as pa
import pandera.polars as pp
import polars as pl
import pytest

from assetflow.interop.pandera_results import FAILED_CHECKS, pandera_result

ROWS: dict[str, list[Any]] = {
    "id": [1, 1, 3, 4],
    "amount": [-1.0, 200.0, None, 5.0],
    "status": ["a", "x", None, "b"],
}
SCHEMA = pa.DataFrameSchema(
    {
        "id": pa.Column(int, unique=True),
        "amount": pa.Column(float, [pa.Check.ge(0), pa.Check(lambda s: s < 100, name="small")]),
        "status": pa.Column(str, pa.Check.isin(["a", "b"]), nullable=True),
    }
)
POLARS = pp.DataFrameSchema(
    {
        "id": pp.Column(int, unique=True),
        "amount": pp.Column(float, pp.Check.ge(0)),
        "status": pp.Column(str, pp.Check.isin(["a", "b"]), nullable=True),
    }
)


class Orders(pa.DataFrameModel):
    id: int = pa.Field(unique=True)
    amount: float = pa.Field(ge=0)


def test_every_row_that_fails_is_told_once_with_all_that_it_fails():
    result = pandera_result(SCHEMA, pd.DataFrame(ROWS))

    assert (result.passed, result.failures, result.rows) == (False, 3, 4)
    assert result.failing_rows.to_dict("list") == {
        FAILED_CHECKS: [
            "id: field_uniqueness, amount: greater_than_or_equal_to(0)",
            "id: field_uniqueness, amount: small, status: isin(['a', 'b'])",
            "amount: not_nullable",
        ],
        "id": [1, 1, 3],
        "amount": [-1.0, 200.0, pytest.approx(float("nan"), nan_ok=True)],
        "status": ["a", "x", pytest.approx(float("nan"), nan_ok=True)],
    }
    assert "id: field_uniqueness (2)" in result.message.splitlines()


@pytest.mark.parametrize("form", [pl.DataFrame, pl.LazyFrame])
def test_frames_of_polars_are_looked_at_row_by_row_also_where_they_are_lazy(form):
    result = pandera_result(POLARS, form(ROWS))

    assert (result.passed, result.failures, result.rows) == (False, 3, 4)
    assert result.failing_rows.select("id", "status").rows() == [(1, "a"), (1, "x"), (3, None)]
    assert result.failing_rows[FAILED_CHECKS].to_list() == [
        "id: field_uniqueness, amount: greater_than_or_equal_to(0)",
        "id: field_uniqueness, status: isin(['a', 'b'])",
        "amount: not_nullable",
    ]


@pytest.mark.parametrize(
    ("schema", "frame"),
    [
        (SCHEMA, pd.DataFrame(ROWS).iloc[3:]),
        (Orders, pd.DataFrame(ROWS).iloc[3:]),
        (POLARS, pl.DataFrame(ROWS)[3:]),
        (POLARS, pl.DataFrame(ROWS)[:0]),
        (SCHEMA, pd.DataFrame(ROWS).iloc[:0]),
    ],
)
def test_what_fits_passes(schema, frame):
    result = pandera_result(schema, frame)

    assert (result.passed, result.failures, result.rows) == (True, 0, len(frame))
    assert result.failing_rows is None


def test_a_model_is_a_schema_too():
    result = pandera_result(Orders, pd.DataFrame(ROWS))

    assert result.failures == 3
    assert "amount: greater_than_or_equal_to(0)" in result.message


@pytest.mark.parametrize(
    ("schema", "frame", "told"),
    [
        (SCHEMA, pd.DataFrame(ROWS).drop(columns="amount"), "column_in_dataframe amount"),
        (POLARS, pl.DataFrame(ROWS).drop("amount"), "column_in_dataframe amount"),
        (SCHEMA, pd.DataFrame({**ROWS, "id": list("abcd")}), "id: dtype('int64')"),
        (POLARS, pl.DataFrame({**ROWS, "id": list("abcd")}), "id: dtype('Int64')"),
    ],
)
def test_what_is_wrong_with_a_column_cannot_be_tolerated(schema, frame, told):
    result = pandera_result(schema, frame)

    assert not result.passed
    assert result.failures is None
    assert told in result.observed


def test_a_column_of_the_data_keeps_its_name():
    frame = pd.DataFrame({**ROWS, FAILED_CHECKS: range(4)})

    result = pandera_result(SCHEMA, frame)

    assert list(result.failing_rows)[:2] == [f"{FAILED_CHECKS}_", "id"]


def test_a_schema_with_much_that_does_not_fit_is_told_in_short():
    schema = pa.DataFrameSchema({f"c{place}": pa.Column(int) for place in range(100)})

    result = pandera_result(schema, pd.DataFrame(ROWS))

    assert result.message.splitlines()[-1] == "and 80 more"
