import dataclasses
import json

import pytest

from assetflow.errors import (
    HiddenInput,
    NotOneQuery,
    SqlDoesNotParse,
    UnknownDialect,
)
from assetflow.sql.query import parse_query


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from orders", ["orders"]),
        ("select 1", []),
        ("from Orders o, orders p", ["Orders", "orders"]),
        ("from staging.orders", ["staging.orders"]),
        ('from "a b"."c.d"', ["a b.c.d"]),
        ("from a.b.c.d", ["a.b.c.d"]),
        ("with a as (from b) from a", ["b"]),
        ("with a as (from b), c as (from a) from c", ["b"]),
        ("with a as (from c), c as (from d) from a", ["c", "d"]),
        ("with a as (from A) from a", ["A"]),
        ("with a as (from b) from s.a", ["b", "s.a"]),
        ("with recursive a as (from b union from a) from a", ["b"]),
        ("with recursive a as (from a) from a", ["a"]),
        ("select * from (with a as (from b) from a), a", ["b", "a"]),
        ("with a as (from x) select (from a), (with b as (from a) from b), (from b)", ["x", "b"]),
        ("from a union from b except from c", ["a", "b", "c"]),
        ("select 1 where x in (from t)", ["t"]),
        ("from a, lateral (from b where b.x = a.x)", ["a", "b"]),
        ("from a join b using (x) left join (c join d on true) on true", ["a", "b", "c", "d"]),
        ("from range(3), unnest([1]), generate_series(1, 2)", []),
        ("pivot a on x using sum(y)", ["a"]),
        ("with a as (from b) pivot a on x using sum(y)", ["b"]),
        ("unpivot a on x, y", ["a"]),
        ("values ((select max(x) from a))", ["a"]),
        ("table a", ["a"]),
        ("select 'from a' /* from b */ -- from c", []),
        ("from a order by (select max(x) from b) limit (select 1 from c)", ["a", "b", "c"]),
    ],
)
def test_references_are_the_tables_that_are_no_cte(text, names):
    query = parse_query(text)

    assert [reference.name for reference in query.references] == names
    for reference in query.references:
        written = query.text[reference.start : reference.end].removeprefix("table ")
        assert written.replace('"', "").replace(" ", "") == reference.name.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "function", "paths", "arguments"),
    [
        ("from read_csv('a.csv')", "read_csv", ("a.csv",), ""),
        ("from read_csv('a.csv', header = true) x", "read_csv", ("a.csv",), "header = true"),
        (
            "from READ_PARQUET(['a', 'b'], union_by_name = (1 = 1))",
            "read_parquet",
            ("a", "b"),
            "union_by_name = (1 = 1)",
        ),
        ("from read_json_auto('a?.json')", "read_json_auto", ("a?.json",), ""),
        ("from 'data/*.parquet'", "", ("data/*.parquet",), ""),
        ('from "x.csv.gz" x', "", ("x.csv.gz",), ""),
        ("from read_text($$it's$$)", "read_text", ("it's",), ""),
        (
            "select * from t where x in (select y from parquet_scan('z'))",
            "parquet_scan",
            ("z",),
            "",
        ),
    ],
)
def test_file_reads_are_found_with_their_paths(text, function, paths, arguments):
    (read,) = parse_query(text).file_reads

    assert (read.function, read.paths, read.arguments) == (function, paths, arguments)
    assert read.name == ", ".join(paths)


def test_a_file_read_is_no_table_reference():
    query = parse_query("from 'a.csv' a join \"b.parquet\" b using (x)")

    assert query.references == ()
    assert [read.alias for read in query.file_reads] == ["a", "b"]


def test_parameters_and_functions_are_named():
    query = parse_query("select Upper(x), my_macro(y).other(z) from t where d >= $day and e = $1")

    assert query.parameters == ("1", "day")
    assert set(query.functions) == {"upper", "my_macro", "other"}


@pytest.mark.parametrize(
    ("text", "is_ordered"),
    [
        ("from t order by x", True),
        ("(from t order by x)", True),
        ("from t order by x limit 3", True),
        ("from t union from u order by 1", True),
        ("with a as (from t order by x) from a", False),
        ("from (from t order by x)", False),
        ("select list(x order by x) from t", False),
        ("pivot t on x using sum(y)", False),
    ],
)
def test_a_query_is_ordered_by_its_own_order_by_alone(text, is_ordered):
    assert parse_query(text).is_ordered is is_ordered


def test_a_query_goes_through_json():
    query = parse_query("select $p from a.b join 'x.csv' using (id)")

    assert json.loads(json.dumps(dataclasses.asdict(query)))["references"][0]["name"] == "a.b"


def test_another_dialect_is_transpiled():
    query = parse_query("select iff(x > 1, 2, 3) as y from t", dialect="snowflake")

    assert "CASE WHEN x > 1 THEN 2 ELSE 3 END AS y" in query.text
    assert query.text[query.references[0].start :] == "t"


@pytest.mark.parametrize(
    ("text", "place", "line", "caret"),
    [
        ("select a b c from t", "a.sql:10", "select a b c from t", "c"),
        ("select 1 as x\nfrom t where where", "a.sql:11", "from t where where", "where"),
        ("selec 1", "a.sql:10", "selec 1", "selec"),
        ("select 1,\n'abc", "a.sql:11", "'abc", "'"),
        ("select 1 /* x", "a.sql:10", "select 1 /* x", "/*"),
        ("select 1 -- it's\n, \"x", "a.sql:11", ', "x', '"'),
    ],
)
def test_what_does_not_parse_is_shown_with_a_caret(text, place, line, caret):
    with pytest.raises(SqlDoesNotParse) as caught:
        parse_query(text, first_line=10, place="a.sql")

    facts = caught.value.facts
    assert (facts["at"], facts["text"]) == (place, line)
    assert line[facts["here"].index("^") :].startswith(caret)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select id from t where", "something is missing after 'where'"),
        ("select id from t where;\n", "something is missing after 'where'"),
        ("select id from t where group by 1", "something is missing at 'group by'"),
        ("select (id +) from t", "something is missing at ')'"),
        ("select * from t join", "Expected table name"),
    ],
)
def test_what_is_missing_is_told_without_names_of_classes(text, says):
    with pytest.raises(SqlDoesNotParse) as caught:
        parse_query(text)

    assert caught.value.facts["says"].startswith(says)
    assert "<" not in caught.value.facts["says"]


def test_another_dialect_is_told_without_names_of_classes():
    with pytest.raises(SqlDoesNotParse) as caught:
        parse_query("select id from t where", dialect="snowflake")

    assert caught.value.facts["says"] == "something is missing"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no statement"),
        ("-- nothing", "no statement"),
        ("select 1; select 2", "2 statements"),
        ("create table x as select 1", "create"),
        ("insert into x values (1)", "insert"),
        ("describe x", "describe"),
        ("pragma version", "pragma"),
        ("copy x to 'y'", "copy"),
    ],
)
def test_anything_but_one_query_is_refused(text, found):
    with pytest.raises(NotOneQuery, match="one query") as caught:
        parse_query(text)

    assert caught.value.facts["found"] == found


@pytest.mark.parametrize("text", ["select 1;", "select 1; -- x\n", ";;select 1", "(select 1)"])
def test_a_query_may_end_in_a_semicolon(text):
    if text.startswith(";"):
        with pytest.raises(NotOneQuery):
            parse_query(text)
        return
    assert parse_query(text).canonical == "select 1"


@pytest.mark.parametrize(
    "text",
    [
        "from query('select 1')",
        "from query_table('orders')",
        "from query_table(['a', 'b'])",
        "select getvariable('x')",
        "select getenv('HOME') from t",
        "from histogram(orders, amount)",
        "from histogram_values(orders, amount)",
        "from read_csv($path)",
        "from read_parquet(['a', $b])",
        "from read_csv('a' || 'b')",
    ],
)
def test_inputs_that_the_text_does_not_name_are_errors(text):
    with pytest.raises(HiddenInput) as caught:
        parse_query(text)

    assert caught.value.hint


def test_a_histogram_of_values_is_no_hidden_input():
    assert parse_query("select histogram(x) as h from t").references[0].name == "t"


def test_an_unknown_dialect_is_named_with_the_nearest():
    with pytest.raises(UnknownDialect, match="Did you mean 'snowflake'"):
        parse_query("select 1", dialect="snowflak")
