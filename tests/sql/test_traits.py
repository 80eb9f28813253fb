# ruff: noqa: E501 - a query stands on one line
import duckdb
import pytest

from assetflow.sql.query import parse_query
from assetflow.sql.traits import VOLATILE_FUNCTIONS


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("select now()", ("now",)),
        ("select NOW ()", ("now",)),
        ("select current_date, CURRENT_TIMESTAMP", ("current_date", "current_timestamp")),
        ("select d < current_date - interval 1 day from t", ("current_date",)),
        ("select today(), random(), uuid(), gen_random_uuid()", ("gen_random_uuid", "random", "today", "uuid")),
        ("select nextval('s'), txid_current(), setseed(0.5)", ("nextval", "setseed", "txid_current")),
        ("select get_current_time(), current_setting('threads')", ("current_setting", "get_current_time")),
        ("select age(d) from t", ("age",)),
        ("select age(d, e) from t", ()),
        ("select version()", ("version",)),
        ("from duckdb_tables()", ("duckdb_tables",)),
        ("from pragma_version()", ("pragma_version",)),
        ("from t using sample 10%", ("sample",)),
        ("from t tablesample reservoir(10 rows)", ("sample",)),
        ("from t tablesample reservoir(10 rows) repeatable (1)", ()),
        ("from t using sample 10% (bernoulli, 42)", ()),
        ("select t.current_date from t", ()),
        ('select "current_date" from t', ()),
        ("select d as current_date from t", ()),
        ("select 'now()' as x, now from t -- now()", ()),
        ("select sample, random from t", ()),
        ("select d.now() from t", ("now",)),
    ],
)  # fmt: skip
def test_volatile_constructs_are_named(text, names):
    assert parse_query(text).volatile == names


def test_every_function_that_duckdb_calls_volatile_is_known():
    rows = duckdb.sql(
        "select distinct function_name from duckdb_functions() "
        "where stability in ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')"
    ).fetchall()

    hidden = {"getvariable", "error"}  # an error in itself, and a failure
    assert {name for (name,) in rows} - hidden <= VOLATILE_FUNCTIONS


@pytest.mark.parametrize(
    ("text", "constructs"),
    [
        ("from t limit 3", ("limit without order by",)),
        ("from t order by a limit 3", ()),
        ("from t offset 3", ("offset without order by",)),
        ("from (from t limit 1) order by a", ("limit without order by",)),
        ("select first(a) from t", ("first()",)),
        ("select first(a order by b) from t", ()),
        ("select last(a), any_value(b) from t", ("any_value()", "last()")),
        ("select any_value(a order by b) from t", ()),
        ("select list(a) from t", ("list() without order by",)),
        ("select list(a order by b) from t", ()),
        ("select list(distinct a) from t", ("list() without order by",)),
        ("select list(distinct a order by a) from t", ()),
        ("select array_agg(a) from t", ("array_agg() without order by",)),
        ("select string_agg(a, ',') from t", ("string_agg() without order by",)),
        ("select string_agg(a, ',' order by b) from t", ()),
        ("select listagg(a, ',') within group (order by b) from t", ()),
        ("select json_group_array(a) from t", ("json_group_array() without order by",)),
        ("select list(a) filter (b > 1) from t", ("list() without order by",)),
        ("select list(a order by a) filter (b > 1) from t", ()),
        ("select row_number() over () from t", ("row_number() over () without order by",)),
        ("select row_number() over (partition by a) from t", ("row_number() over () without order by",)),
        ("select row_number() over (order by a) from t", ()),
        ("select row_number() over w from t window w as (order by a)", ()),
        ("select row_number() over w from t window w as (partition by a)", ("row_number() over () without order by",)),
        ("select lag(a) over () from t", ("lag() over () without order by",)),
        ("select sum(a) over () from t", ()),
        ("select sum(a) over (rows between 1 preceding and current row) from t", ("a window frame without order by",)),
        ("select first_value(a) over () from t", ("first_value() without order by",)),
        ("select first_value(a) over (order by b) from t", ()),
        ("select list(a) over (order by b) from t", ()),
        ("from t using sample 10%", ("sample",)),
        ("from t tablesample 10%", ("sample",)),
        ("select distinct on (a) b from t", ("distinct on without order by",)),
        ("select distinct on (a) b from t order by b", ()),
        ("from t positional join u", ("positional join",)),
        ("select array(select a from t)", ("array(select …) without order by",)),
        ("select array(select a from t order by a)", ()),
        ("select arg_max(a, b), max(a), sum(b) from t", ()),
        ("pivot t on a using first(b)", ("first()",)),
        ("select 1 where a in (select b from u limit 1)", ("limit without order by",)),
        ("select first, list, last from t", ()),
        ("from t union from u limit 1", ("limit without order by",)),
        ("(from t order by a) limit 1", ("limit without order by",)),
    ],
)  # fmt: skip
def test_order_dependent_constructs_are_named(text, constructs):
    assert parse_query(text).order_dependent == constructs
