# ruff: noqa: E501 - a query stands on one line
import pytest

from assetflow.model.columns import Column, ColumnEdge, ReadSet
from assetflow.sql.query import parse_query
from assetflow.sql.query_lineage import analyse

ALL = "*"
SCHEMAS = {
    "t": (Column("a", "INTEGER"), Column("b", "INTEGER"), Column("c", "VARCHAR")),
    "u": (Column("a", "INTEGER"), Column("d", "INTEGER"), Column("e", "VARCHAR")),
    "s.v": (
        Column("Key", "VARCHAR"),
        Column("list", "INTEGER[]"),
        Column("st", "STRUCT(a INTEGER)"),
    ),
    "unit": (Column("part", "VARCHAR"), Column("day", "DATE"), Column("year", "INTEGER")),
}


def read_sets(text, schemas=SCHEMAS):
    return {name: str(read_set) for name, read_set in analyse(parse_query(text), schemas).read_sets}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select a from t", {"t": "a"}),
        ("select A from T", {"T": "a"}),
        ("select key from s.v", {"s.v": "Key"}),
        ("select a from t where b > 1", {"t": "a, b"}),
        ("select a from t order by c", {"t": "a, c"}),
        ("select a from t group by a having max(b) > 1", {"t": "a, b"}),
        ("select a from t qualify row_number() over (order by c) = 1", {"t": "a, c"}),
        ("select count(*) from t", {"t": ""}),
        ("select count(*) from t, u", {"t": "", "u": ""}),
        ("select 1 from t where exists (from u)", {"t": "", "u": ""}),
        ("select 1 from t where exists (select e from u where d > 1)", {"t": "", "u": "d"}),
        ("select t.a from t cross join u", {"t": "a", "u": ""}),
        ("select a from t join u using (a)", {"t": "a", "u": "a"}),
        ("select b from t semi join u using (a)", {"t": "a, b", "u": "a"}),
        ("select b from t natural join u", {"t": ALL, "u": ALL}),
        ("select a from t union by name select d as a from u", {"t": ALL, "u": ALL}),
        ("select t from t", {"t": ALL}),
        ("select count(t) from t", {"t": ALL}),
        ("select count(o) from t o, u", {"t": ALL, "u": ""}),
        ("select #1 from t", {"t": ALL}),
        ("select columns('a') from t", {"t": ALL}),
        ("select min(columns(*)) from t", {"t": ALL}),
        ("select columns(t.*) + 1 from t, u", {"t": ALL, "u": ALL}),
        ("select * like 'a%' from t", {"t": ALL}),
        ("select a from t where columns(*) > 1", {"t": ALL}),
        ("pivot t on a using sum(b) group by c", {"t": ALL}),
        ("pivot t on a in (1, 2) using sum(b) group by c", {"t": ALL}),
        ("select * from t pivot (sum(b) for a in (1))", {"t": ALL}),
        ("unpivot t on a, b", {"t": ALL}),
        ("select * from (select a, b from t) pivot (sum(b) for a in (1))", {"t": "a, b"}),
        ("select rowid from t", {"t": ALL}),
        ("select filename from t", {"t": ALL}),
        ("select nothing from t, u", {"t": ALL, "u": ALL}),
        ("select * from t", {"t": "a, b, c"}),
        ("select * exclude (b) from t", {"t": "a, c"}),
        ("select t.* from t, u", {"t": "a, b, c", "u": ""}),
        ("select st.* from s.v", {"s.v": "st"}),
        ("select st.a from s.v", {"s.v": "st"}),
        ("select v.st.a from s.v", {"s.v": "st"}),
        ("select s.v.st.a from s.v", {"s.v": "st"}),
        ("select unnest(list) from s.v", {"s.v": "list"}),
        ("select key from (select key, unnest(list) as i from s.v)", {"s.v": "Key, list"}),
        ("select x.i from s.v, unnest(list) x(i)", {"s.v": "list"}),
        ("select a from (select * from t)", {"t": "a"}),
        ("select a from (select distinct a, b from t)", {"t": "a, b"}),
        ("select a from (select a, b from t union select a, d from u)", {"t": "a, b", "u": "a, d"}),
        ("select a from (select a, b from t union all select a, d from u)", {"t": "a", "u": "a"}),
        ("select a from t except select d from u", {"t": "a", "u": "d"}),
        ("with x as (from t) select a from x where b > 1", {"t": "a, b"}),
        ("with x as (from t), y as (from u) select a from x", {"t": "a", "u": ""}),
        ("with x as (select sum(a) from t) select * from x", {"t": "a"}),
        ('select x."sum(a)" from (select sum(a) from t) x', {"t": "a"}),
        ('select (select "sum(a)") from (select sum(a) from t) x', {"t": "a"}),
        ("select x.k from (values (1, 2)) x(k, l), t", {"t": ""}),
        ("select a, (select max(d) from u where u.a = t.a) from t", {"t": "a", "u": "a, d"}),
        ("select q.z from t, lateral (select t.a + d as z from u where e = t.c) q", {"t": "a, c", "u": "d, e"}),
        ("select list_transform(list, lambda i: i + 1) from s.v", {"s.v": "list"}),
        ("select [a for a in [1, 2]] from t", {"t": ""}),
        ("select a as b, b as x from t", {"t": "a, b"}),
        ("select 2 * a as x, x + 1 as y from t where y > 1", {"t": "a"}),
        ("select date_trunc(part, day) from unit", {"unit": "day, part"}),
        ("select date_trunc('year', day) from unit", {"unit": "day"}),
        ("select extract(year from day) from unit", {"unit": "day"}),
        ("select interval 1 year + day from unit", {"unit": "day"}),
        ("select date_diff(part, day, day) from unit", {"unit": "day, part"}),
        ("select date_trunc(p, day) from (select part as p, day from unit)", {"unit": ALL}),
        ("select part.upper() from unit", {"unit": "part"}),
        ("select part.replace('a', year::varchar).upper() from unit", {"unit": "part, year"}),
        ("select a from t join lateral (select d from u where u.a = t.b) on true", {"t": "a, b", "u": "a"}),
        ("select max(a) filter (b > 1) from t", {"t": "a, b"}),
        ("select sum(a) over w from t window w as (partition by b)", {"t": "a, b"}),
        ("select sum(a) over w from t window v as (partition by b), w as (v order by c)", {"t": "a, b, c"}),
        ("select a from t o where exists (select 1 from u where u.d = o.b)", {"t": "a, b", "u": "d"}),
        ("select a from t where (a, b) in (select (a, d) from u)", {"t": "a, b", "u": "a, d"}),
        ("select 1 from t group by b", {"t": "b"}),
        ("select a from t group by all", {"t": "a"}),
        ("select count(*) from (select a from t group by all)", {"t": "a"}),
        ("select a from t order by all", {"t": "a"}),
        ("select x.f from some_function(1) x, t", {"t": ""}),
        ("select count(*) from t limit (select max(d) from u)", {"t": ALL + " in order", "u": ALL + " in order"}),
        ("select first(a) from t", {"t": ALL + " in order"}),
        ("select a from t limit 1", {"t": ALL + " in order"}),
        ("select a from t order by a limit 1", {"t": "a"}),
        ("select * from unknown, t", {"unknown": ALL, "t": "a, b, c"}),
        ("select a from unknown", {"unknown": ALL}),
        ("select o.b from t o join t p on o.a = p.b", {"t": "a, b"}),
        ("select o.b from t o join t p on o.a = p.b where p is not null", {"t": ALL}),
        ("with recursive r as (select a from t union all select a + 1 from r where a < (select max(d) from u)) select count(*) from r", {"t": "a", "u": "d"}),
        ("select nosuch.a from t", {"t": ALL}),
        ("select j.b from (t join u using (a)) j", {"t": "a, b", "u": "a"}),
        ("select e from (t join u using (a))", {"t": "a", "u": "a, e"}),
        ("select * from t positional join u", {"t": ALL + " in order", "u": ALL + " in order"}),
    ],
)  # fmt: skip
def test_the_read_set_is_what_the_result_can_depend_on(text, expected):
    assert read_sets(text) == expected


def test_file_reads_have_read_sets_under_their_paths():
    query = parse_query("select f.a from read_csv(['x', 'y']) f join 'z.csv' g on f.b = g.k")
    schemas = {"x, y": SCHEMAS["t"]}

    lineage = analyse(query, schemas)

    assert dict(lineage.read_sets) == {"x, y": ReadSet.of(["a", "b"]), "z.csv": ReadSet()}


def test_a_star_over_merged_columns_lines_up_with_duckdb(binder):
    query = parse_query("select * from t join u using (a)")
    output = binder.describe_unstored(query, SCHEMAS)

    lineage = analyse(query, SCHEMAS, output)

    assert not lineage.is_opaque
    assert dict(lineage.read_sets)["t"] == ReadSet.of(["a", "b", "c"])


def test_an_opaque_query_says_why():
    lineage = analyse(parse_query("select columns('a') from t"), SCHEMAS)

    assert lineage.is_opaque
    assert lineage.reason == "COLUMNS(…) may read any column"


def test_an_output_that_does_not_line_up_is_not_trusted():
    output = (Column("a", "INTEGER"), Column("b", "INTEGER"))

    lineage = analyse(parse_query("select a from t"), SCHEMAS, output)

    assert dict(lineage.read_sets) == {"t": ReadSet()}


def edges(text, binder):
    query = parse_query(text)
    known = {read.name: SCHEMAS[read.name] for read in query.references}
    output = binder.describe_unstored(query, known)
    return {
        f"{edge.column} > {edge.target}: {edge.kind}"
        for edge in analyse(query, known, output).column_edges
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select a as x from t", "a > x: identity"),
        ("select a + b as x from t", "a > x: transformation, b > x: transformation"),
        ("select sum(a) as x from t", "a > x: aggregation"),
        ("select sum(a) from t", "a > sum(a): aggregation"),
        ("select x + 1 as y from (select sum(a) as x from t)", "a > y: aggregation"),
        ("select c as x from t where a > 1", "c > x: identity, a > : filter"),
        ("select t.c as x from t join u on t.a = u.d", "c > x: identity, a > : join, d > : join"),
        ("select c as x, count(*) as n from t group by c", "c > x: identity, c > : group"),
        ("select c as x from t order by a", "c > x: identity, a > : sort"),
        ("select distinct c as x from t", "c > x: identity, c > : group"),
        ("select if(a > 1, b, 0) as x from t", "a > x: conditional, b > x: transformation"),
        ("select case when a > 1 then b end as x from t", "a > x: conditional, b > x: transformation"),
        ("select sum(a) filter (b > 1) as x from t", "a > x: aggregation, b > x: conditional"),
        ("select sum(a) over (partition by c order by b) as x from t", "a > x: aggregation, c > x: window, b > x: window"),
        ("select lag(a) over (order by b) as x from t", "a > x: transformation, b > x: window"),
        ("select a as x from t qualify rank() over (order by b) = 1", "a > x: identity, b > : filter"),
        ("select a as x from t union all select d from u", "a > x: identity, d > x: identity"),
        ("with z as (select a as q from t) select q as x from z", "a > x: identity"),
        ("with z(q) as (select a from t) select q as x from z", "a > x: identity"),
        ("select * exclude (b) from t", "a > a: identity, c > c: identity"),
        ("select * replace (b + 1 as a) from t", "b > a: transformation, b > b: identity, c > c: identity"),
        ("select * rename (a as x) from (select a from t)", "a > x: identity"),
        ("select a * 2 as x, x + b as y from t", "a > x: transformation, a > y: transformation, b > y: transformation"),
        ("select unnest(list) as x from s.v", "list > x: transformation"),
        ("select st.a as x from s.v", "st > x: transformation"),
        ("select unnest(st) from s.v", "st > a: transformation"),
        ("select (select max(d) from u where u.a = t.a) as x from t", "d > x: aggregation, a > x: filter"),
        ("pivot t on c in ('p', 'q') using sum(b) group by a", "a > a: identity, a > : group, b > p: aggregation, b > q: aggregation, c > p: conditional, c > q: conditional"),
        ("unpivot (select a, b, c from t) on a, b into name n value v", "c > c: identity, a > n: transformation, b > n: transformation, a > v: transformation, b > v: transformation"),
        ("select count(*) as n from t", ""),
        ("select * from t join u using (a)", "a > a: identity, a > : join, b > b: identity, c > c: identity, d > d: identity, e > e: identity"),
        ("select string_agg(c order by a) as x from t", "c > x: aggregation, a > x: sort"),
        ("select e as x from t full join u using (a)", "e > x: identity, a > : join"),
        ("select a as x from t full join u using (a)", "a > x: transformation, a > : join"),
        ("select v.st.a as x from s.v where exists (from t where t.c = v.key)", "st > x: transformation, Key > : filter, c > : filter"),
    ],
)  # fmt: skip
def test_edges_say_how_each_column_reaches_the_result(text, expected, binder):
    assert edges(text, binder) == set(filter(None, expected.split(", ")))


def test_edges_name_inputs_as_the_query_does():
    (edge,) = analyse(
        parse_query("select a as X from T"), SCHEMAS, (Column("X", "INTEGER"),)
    ).column_edges

    assert edge == ColumnEdge("T", "a", "X", "identity")
