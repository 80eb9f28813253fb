# ruff: noqa: E501 - a query stands on one line
import threading

import pytest

from assetflow.errors import (
    BadMacro,
    DuplicateColumn,
    MissingColumn,
    QueryDoesNotBind,
    TypeNotStored,
    UnnamedColumn,
)
from assetflow.model.columns import Column
from assetflow.sql.binder import Binder, OfType
from assetflow.sql.query import parse_query


def describe(text, binder, schemas, **options):
    query = parse_query(text, first_line=10, place="a.sql")
    return [(column.name, column.type) for column in binder.describe(query, schemas, **options)]


def test_names_and_types_are_duckdbs_own(corpus_query, binder, schemas, make_tables, request):
    connection = request.getfixturevalue("empty").connection
    expected = [row[:2] for row in connection.execute(f"describe {corpus_query}").fetchall()]

    try:
        described = binder.describe_unstored(parse_query(corpus_query), schemas)
    except DuplicateColumn:
        assert len({name for name, _ in expected}) < len(expected)
    else:
        assert [column[:2] for column in described] == expected


@pytest.fixture(scope="module")
def empty(make_tables):
    return make_tables(1, rows=1)


def test_types_are_those_that_are_stored(binder, schemas):
    described = describe(
        "select sum(id) as s, max(day) - min(day) as d, max(id) as id from orders", binder, schemas
    )

    assert described == [("s", "DECIMAL(38,0)"), ("d", "BIGINT"), ("id", "INTEGER")]


@pytest.mark.parametrize(
    ("text", "headline", "at", "caret"),
    [
        ("select 'é', amont from orders", "'orders' has no column named 'amont'.", 10, "amont"),
        ("select o.amont\nfrom orders o", "'orders' has no column named 'amont'.", 10, "o.amont"),
        ("select id\n, o.amont from orders o", "'orders' has no column named 'amont'.", 11, "o.amont"),
        ("select amount from orders where amont > 1", "'orders' has no column named 'amont'.", 10, "amont"),
        ("select amont from orders, stores", "No input of the query has a column named 'amont'.", 10, "amont"),
        ("select staging.events.amont from staging.events", "'staging.events' has no column named 'amont'.", 10, "staging"),
        ("select * from orders join stores using (amount)", "'stores' has no column named 'amount'.", 10, ""),
        ("select * exclude (amont) from orders", "'orders' has no column named 'amont'.", 10, ""),
        ("select x.amont from (select 1 as amount) x", "'x' has no column named 'amont'.", 10, "x.amont"),
        ("select rowid from orders", "'orders' has no column named 'rowid'.", 10, "rowid"),
        ("from orders select amont", "'orders' has no column named 'amont'.", 10, "amont"),
        ("select id,\n amont::double as amont from orders", "'orders' has no column named 'amont'.", 11, "amont::double"),
        ("with a as (select a.id as amont from stores a) select upper(amont) as amont from orders", "No input of the query has a column named 'amont'.", 10, "amont) as amont"),
        ("select upper(Amont) as amont from orders", "'orders' has no column named 'Amont'.", 10, "Amont)"),
        ('select id + 1 as total, "no such" * 2 as "no such" from orders', "'orders' has no column named 'no such'.", 10, '"no such" *'),
        ("select amont as amont from orders join staging.events using (id)", "No input of the query has a column named 'amont'.", 10, "amont as"),
    ],
)  # fmt: skip
def test_a_missing_column_is_shown_in_its_place(text, headline, at, caret, binder, schemas):
    with pytest.raises(MissingColumn) as caught:
        describe(text, binder, schemas)

    facts = caught.value.facts
    assert caught.value.headline == headline
    assert facts["at"] == f"a.sql:{at}"
    if caret:
        assert facts["text"][facts["here"].index("^") :].startswith(caret)


def test_a_missing_column_comes_with_the_nearest_name(binder, schemas):
    with pytest.raises(MissingColumn) as caught:
        describe("select amont from orders", binder, schemas)

    assert caught.value.hint == "Did you mean 'amount'?"
    assert caught.value.facts["has"] == "id, day, store_id, customer, amount, note"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select x.id from orders o", "Referenced table"),
        ("select nofunc(id) from orders", "nofunc does not exist"),
        ("select sum(id), amount from orders", "GROUP BY"),
        ("select id from orders, stores, nope", "nope does not exist"),
        ("select id::foo from orders", "foo does not exist"),
        ("select $a from orders", "parameters: a"),
        ("select * from 'x.parquet'", "disabled"),
        ("select customer + day from orders", "explicit type casts"),
        ("select a,,b from orders", "syntax error"),
    ],
)
def test_what_does_not_bind_is_told_in_duckdbs_words(text, says, binder, schemas):
    with pytest.raises(QueryDoesNotBind) as caught:
        describe(text, binder, schemas)

    assert says in str(caught.value)
    assert "assetflow input" not in str(caught.value)


def test_a_missing_column_that_is_an_alias_comes_with_the_nearest_name(binder, schemas):
    with pytest.raises(MissingColumn, match="'amont'") as caught:
        describe("select amont::double as amont from orders", binder, schemas)

    assert caught.value.hint == "Did you mean 'amount'?"


def test_two_sentences_of_duckdb_are_one(binder, schemas):
    with pytest.raises(QueryDoesNotBind) as caught:
        describe("select summ(amount) from orders", binder, schemas)

    says = caught.value.facts["says"]
    assert says == 'Scalar Function with name summ does not exist; Did you mean "sum"?'


def test_two_columns_of_one_name_are_refused(binder, schemas):
    with pytest.raises(DuplicateColumn, match="'id'") as caught:
        describe("select id, amount, note as ID from orders", binder, schemas)

    assert caught.value.facts["positions"] == "1, 3"


def test_a_column_named_after_a_subquery_is_refused(binder, schemas):
    with pytest.raises(UnnamedColumn, match="Output column 2"):
        describe("select id, exists(from stores) from orders", binder, schemas)


def test_a_type_that_cannot_be_stored_is_refused_with_its_column(binder, schemas):
    with pytest.raises(TypeNotStored, match="'t'"):
        describe("select '12:00'::timetz as t from orders", binder, schemas)


def test_parameters_are_values_or_types(binder, schemas):
    text = "select $start as s, $limit as l from orders where day >= $start"
    parameters = {"start": OfType("TIMESTAMP"), "limit": 5, "unused": 1}

    assert describe(text, binder, schemas, parameters=parameters) == [
        ("s", "TIMESTAMP"),
        ("l", "INTEGER"),
    ]


def test_file_reads_bind_to_the_schemas_given(binder):
    files = {"a*.csv": (Column("x", "INTEGER"),), "b.parquet": (Column("y", "DATE"),)}
    text = "select * from read_csv('a*.csv', header = true), 'b.parquet'"

    assert describe(text, binder, {}, files=files) == [("x", "INTEGER"), ("y", "DATE")]


def test_every_name_and_type_of_an_input_is_held():
    schema = (
        Column('with "quotes"', "ENUM('it''s', 'b')"),
        Column("naïve 日本", 'STRUCT("a b" UNION(x INTEGER, y VARCHAR))[]'),
        Column("select", "MAP(VARCHAR, DECIMAL(4,1))"),
    )
    query = parse_query("from t")

    assert Binder().describe_unstored(query, {"t": schema}) == schema


def test_macros_are_there_and_bad_ones_are_named():
    binder = Binder({"twice": "create macro twice(x) as x * 2"})
    schemas = {"t": (Column("a", "INTEGER"),)}

    assert describe("select twice(a) as x from t", binder, schemas) == [("x", "INTEGER")]
    with pytest.raises(BadMacro, match="'bad'"):
        Binder({"bad": "create macro bad(x) as table select * from t"})


def test_settings_are_set():
    binder = Binder(settings={"TimeZone": "Europe/Berlin", "default_collation": "nocase"})

    assert describe("select now() as n", binder, {}) == [("n", "TIMESTAMP WITH TIME ZONE")]


def test_python_variables_are_no_tables(binder):
    rows = [1]

    with pytest.raises(QueryDoesNotBind):
        describe("from rows", binder, {})
    assert rows


def test_one_binder_serves_several_threads(binder, schemas):
    answers = []
    threads = [
        threading.Thread(
            target=lambda number=number: answers.append(
                describe(f"select amount as c{number} from orders", binder, schemas)
            )
        )
        for number in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(name for ((name, _),) in answers) == [f"c{number}" for number in range(8)]
