# ruff: noqa: E501 - a query stands on one line
import pytest

from assetflow.sql.query import applied, edits, original_offset, parse_query, rewrite
from tests.sql.conftest import TABLES


@pytest.fixture(scope="module")
def parquet(tmp_path_factory, make_tables):
    """Return the tables' connection, and for each table the SQL that reads its file."""
    folder = tmp_path_factory.mktemp("it's a folder")
    tables = make_tables(5)
    reads = {}
    for name in TABLES:
        path = str(folder / f"{name}.parquet").replace("'", "''")
        tables.connection.execute(f"copy {name} to '{path}'")
        reads[name] = f"read_parquet(['{path}'])"
    other = make_tables(6)
    other.connection.execute("drop schema staging cascade")
    for name in ("orders", "stores", "wide"):
        other.connection.execute(f"drop table {name}")
    return tables, other, reads


def test_a_rewritten_query_gives_what_the_tables_give(corpus_query, parquet):
    tables, other, reads = parquet

    rewritten = rewrite(parse_query(corpus_query), reads)

    assert other.run(rewritten) == tables.run(corpus_query)


TRICKY = (
    "SELECT Orders.ID FROM ORDERS",
    'select "orders"."id" from "orders"',
    "select o.* from orders as o(a, b)",
    "select o.a from orders o(a)",
    'from orders as "My Orders" select "My Orders".id',
    "select id from orders/* c */o where o.id > 1",
    "select id from orders--x\nwhere id > 1",
    "select 'é🎉', id\nfrom -- ü orders\n\torders\n",
    "with Orders as (from orders select id) from ORDERS",
    "with a as (with stores as (select 1 as city) from stores) select * from a, stores s",
    "select id in (from stores select store_id) as x from orders",
    "(table stores) union all (table stores)",
    "select (select count(*) from orders) as n, (select count(*) from (orders join stores using (store_id))) as m",
    "select a.id from orders a, orders b, lateral (from stores where stores.store_id = b.store_id) c where a.id = b.id",
    "pivot staging.events on kind in ('a') using count(*) group by id",
    "pivot (from orders) on customer in ('a') using sum(amount) as s group by store_id",
    "select * from wide unpivot (v for m in (jan, feb)) as u",
    "select u.v from wide as w unpivot (v for m in (jan, feb)) as u",
    "select * from orders pivot (sum(amount) for customer in ('a') group by store_id)",
    "unpivot wide on jan, feb into name m value v",
    "select staging . events . id from staging . events",
    'select staging.events.info.a as a, "Staging"."Events".info.b as b from staging.events',
    "select staging.events.id from staging.events join orders on staging.events.id = orders.id",
    "select e.id from staging.events e where e.id in (select staging.events.id from staging.events)",
    "select id from orders where exists (from staging.events where staging.events.id = orders.id)",
    "select events.id from staging.events, orders where events.id = orders.id",
    "select orders.* exclude (note) from orders",
    "select orders from orders",
    "select count(orders) as n from orders",
    "select id from orders union all by name select id from staging.events",
    "from orders anti join stores on orders.store_id = stores.store_id select id",
    "select o.id from orders o positional join stores",
    "select * from stores tablesample 100%",
    "select * from stores as s tablesample reservoir(100%) repeatable (1)",
    "select $$from orders$$ as t, 'from stores' as u from stores;",
    "with recursive t(n) as (select 1 union all select n + 1 from t where n < (select count(*) from stores)) select max(n) as n from t",
    "with orders as (select * from stores), x as (select * from orders) select * from x",
    "with x as (select * from orders), orders as (select 1 as one) select * from orders, (select count(*) as n from x)",
    "with recursive orders as (select id from orders) from orders",
    "with o as materialized (from orders), stores as not materialized (from o) select id from stores",
    "select list_transform([1], lambda orders: orders + 1) as l from orders",
    "select orders.orders as x from (select 1 as orders) orders",
    "values ((select max(id) from orders))",
    "from (values ((select max(id) from orders))) v(x)",
    "select case when (select count(*) from orders) > 1 then 'orders' end as x",
    "select s.* from stores s, range(s.store_id) orders(n)",
    "from orders select id order by (select count(*) from stores), id limit (select 2)",
    "select max(id) over (partition by (select max(city) from stores)) as m from orders",
    "from stores s select s.city where s.store_id = any (from orders select store_id)",
    "select array(select id from orders order by id) as ids",
    "select {'orders': (select count(*) from orders)} as o",
)


@pytest.mark.parametrize("text", TRICKY)
def test_tricky_queries_give_what_the_tables_give(text, parquet):
    tables, other, reads = parquet
    expected = tables.run(text)
    assert not isinstance(expected, str)

    rewritten = rewrite(parse_query(text), reads)

    assert other.run(rewritten) == expected


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("select  id\nfrom orders  -- x", 'select  id\nfrom NEW as "orders"  -- x'),
        ("from orders o", "from NEW o"),
        ("from orders as o(x,y)", "from NEW as o(x,y)"),
        ('from "Orders"', 'from NEW as "Orders"'),
        ("from o: orders", "from o: NEW"),
        ("table orders", 'from NEW as "orders"'),
        ("from orders, other", 'from NEW as "orders", other'),
        ("with orders as (select 1) from orders", "with orders as (select 1) from orders"),
        ("from a.orders", "from a.orders"),
        ("select 'from orders' from orders", "select 'from orders' from NEW as \"orders\""),
    ],
)
def test_all_but_the_references_stays_byte_for_byte(text, rewritten):
    assert rewrite(parse_query(text), {"ORDERS": "NEW"}) == rewritten


def test_tables_with_the_same_last_word_are_told_apart():
    query = parse_query("select a.t.x, b.t.x from a.t join b.t on a.t.id = b.t.id")

    rewritten = rewrite(query, {"a.t": "A", "b.t": "B"})

    assert rewritten == (
        'select "a.t".x, "b.t".x from A as "a.t" join B as "b.t" on "a.t".id = "b.t".id'
    )


def test_names_with_quotes_in_them_are_quoted_again():
    query = parse_query('select "a ""b""".x from "a ""b"""')

    assert rewrite(query, {'a "b"': "A"}).endswith('from A as "a ""b"""')


def test_file_reads_are_replaced_by_their_paths():
    query = parse_query(
        "from read_csv('a*.csv', header = true) a, 'b.parquet' b, read_json(['c', 'd'])"
    )

    rewritten = rewrite(query, {}, {"a*.csv": "A", "b.parquet": "B", "c, d": "C"})

    assert rewritten == "from A a, B b, C"


def test_offsets_after_a_rewriting_lead_back_to_the_users_text():
    query = parse_query("select id, amont from orders where amont > 1")
    changes = edits(query, {"orders": "read_parquet(['somewhere'])"}, {})
    after = applied(query.text, changes)

    assert original_offset(changes, after.index("amont")) == query.text.index("amont")
    assert original_offset(changes, after.rindex("amont")) == query.text.rindex("amont")
    assert original_offset(changes, after.index("somewhere")) == query.text.index("orders")
