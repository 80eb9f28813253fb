# ruff: noqa: E501 - a query stands on one line
import pytest

from assetflow.sql.query import parse_query

SAME = [
    ("select a from t", "SELECT  A\nFROM T -- why\n;"),
    ("select a /* x */ from t", "select a from t"),
    ("select a from t order by a", "select a from t ORDER   BY a"),
    ("select a + b from t", "select (a + b) from t"),
    ("select a + b from t", "select ((a) + (b)) from t"),
    ("select a from t where a > 1", "select a from t where (a > 1)"),
    ("select a from t where a > 1 and b < 2", "select a from t where ((a > 1) and (b < 2))"),
    ("select a from t where a > 1 and b < 2 or c", "select a from t where (a > 1 and b < 2) or c"),
    ("select a + b * c from t", "select a + (b * c) from t"),
    ("select f(a) from t", "select f((a)) from t"),
    ("select a from t", "(select a from t)"),
    ("select case when a then b end from t", "select case when (a) then (b) end from t"),
    ("select a from t join u on t.a = u.a", "select a from t join u on (t.a = u.a)"),
    ("select a from t where a is null", "select a from t where (a is null)"),
]
DIFFERENT = [
    ("select a from t", "select b from t"),
    ("select 'a' from t", "select 'A' from t"),
    ("select 'a  b' from t", "select 'a b' from t"),
    ('select "A" from t', "select A from t"),
    ("select '--' from t", "select '' from t"),
    ("select a - (b - c) from t", "select a - b - c from t"),
    ("select (a + b) * c from t", "select a + b * c from t"),
    ("select a and (b or c) from t", "select a and b or c from t"),
    ("select not (a and b) from t", "select not a and b from t"),
    ("select -(a) ** 2 from t", "select (-a) ** 2 from t"),
    ("select (a).b from t", "select a.b from t"),
    ("select (a, b) from t", "select a, b from t"),
    ("select f((a, b)) from t", "select f(a, b) from t"),
    ("select x between 1 and (2 = 3) from t", "select x between 1 and 2 = 3 from t"),
    ("select (a + b)::int from t", "select a + b::int from t"),
    ("select (a || b) || c from t", "select a || (b || c) from t"),
    ("select (a = b) = c from t", "select a = (b = c) from t"),
    ("select a in (b) from t", "select a in b from t"),
    ("select 1.0", "select 1.00"),
    ("select distinct on (a) b from t", "select distinct a, b from t"),
    ("select ln(a) from t", "select log(a) from t"),
    ("select É from t", "select é from t"),
    ("select count(*) from t", "select count() from t"),
    ("select a from t union select 1", "select a from t union all select 1"),
    ("values (1), (2)", "values (1, 2)"),
    ("select a from t where a > 1 and (b = 2 or c = 3)", "select a from t where (a > 1 and b = 2) or c = 3"),
    ("select (select a from t) + 1", "select a + 1 from t"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_looks_do_not_count(one, other):
    assert parse_query(one).canonical == parse_query(other).canonical


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_can_change_the_result_counts(one, other):
    assert parse_query(one).canonical != parse_query(other).canonical


def test_a_canonical_form_is_its_own_canonical_form(corpus_query):
    canonical = parse_query(corpus_query).canonical

    assert parse_query(canonical).canonical == canonical


def test_a_canonical_form_means_the_same_to_duckdb(corpus_query, make_tables, request):
    tables = request.getfixturevalue("some_tables")

    assert tables.run(parse_query(corpus_query).canonical)[1] == tables.run(corpus_query)[1]


@pytest.fixture(scope="module")
def some_tables(make_tables):
    return make_tables(9, rows=6)


SPLITS = {
    "select a, b + 1 as c from t where x = 1": ("select … from t where x = 1", ("a", "b + 1 as c")),
    "from t select f(a, b) as c": ("from t select …", ("f ( a , b ) as c",)),
    "select distinct a from t": ("select distinct … from t", ("a",)),
    "select a is distinct from b as d from t": ("select … from t", ("a is distinct from b as d",)),
    "with c as (select x from t) select x, [1, 2] as l from c": (
        "with c as ( select x from t ) select … from c",
        ("x", "[ 1 , 2 ] as l"),
    ),
    "select a from t union all select b from u": (
        "select a from t union all select b from u",
        (),
    ),
    "select distinct on (a) a, b from t": ("select distinct on ( a ) a , b from t", ()),
    "from t": ("from t", ()),
}


@pytest.mark.parametrize("text", SPLITS)
def test_the_select_list_is_told_from_what_frames_it(text):
    query = parse_query(text)

    assert (query.frame, query.projections) == SPLITS[text]
