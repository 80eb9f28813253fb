# ruff: noqa: E501 - a query stands on one line
"""Queries over four small tables, as people write them, and the tables to run them on."""

import random

import duckdb
import pytest

from assetflow.model.columns import Column
from assetflow.sql.binder import Binder

TABLES = {
    "orders": (
        ("id", "INTEGER"),
        ("day", "DATE"),
        ("store_id", "INTEGER"),
        ("customer", "VARCHAR"),
        ("amount", "DECIMAL(10,2)"),
        ("note", "VARCHAR"),
    ),
    "stores": (("store_id", "INTEGER"), ("city", "VARCHAR"), ("opened", "DATE")),
    "staging.events": (
        ("id", "INTEGER"),
        ("kind", "VARCHAR"),
        ("moment", "TIMESTAMP"),
        ("tags", "VARCHAR[]"),
        ("info", "STRUCT(a INTEGER, b VARCHAR)"),
        ("counts", "MAP(VARCHAR, INTEGER)"),
    ),
    "wide": (
        ("k", "VARCHAR"),
        ("jan", "INTEGER"),
        ("feb", "INTEGER"),
        ("mar", "INTEGER"),
        ("comment", "VARCHAR"),
    ),
}

QUERIES = (
    # projections
    "select id, amount from orders",
    "select * from orders",
    "from orders",
    "from orders select id, amount where amount > 0",
    "from orders where amount > 1",
    "select o.* from orders o",
    "select orders.* from orders",
    "select orders.id from orders",
    "select o.* exclude (note) from orders o",
    "select * exclude (note, customer) from orders",
    "select * exclude note from orders",
    "select * replace (amount * 2 as amount) from orders",
    "select * rename (amount as total) from orders",
    "select * exclude (note) replace (upper(customer) as customer) from orders",
    "select * like 'a%' from orders",
    "select total: amount * 2, id from orders",
    "select amount * 2 as double_amount, double_amount + 1 as more from orders",
    "select amount * 2 as twice from orders where twice > 3",
    "select distinct customer from orders",
    "select distinct on (customer) customer, amount from orders order by customer, amount, id",
    'select "id", "customer" as "The Customer" from orders',
    "select case when amount > 10 then customer else 'small' end as who from orders",
    "select case customer when 'a' then 1 else 2 end as who, if(amount > 1, id, 0) as z from orders",
    "select coalesce(note, customer, 'none') as text from orders",
    "select id::varchar || '-' || customer as label from orders",
    "select try_cast(customer as integer) as n, cast(id as bigint) as big from orders",
    "select amount between 1 and 10 as mid, customer in ('a', 'b') as known from orders",
    "select 'été' as café, id from orders",
    "select 1 as one",
    "select 1 as one, 'a' as b union all select 2, 'c'",
    "values (1, 'a'), (2, 'b')",
    "select * from (values (1, 'a'), (2, 'b')) v(x, y)",
    "select date_trunc('month', day) as month, extract(year from day) as year from orders",
    "select interval 1 day + day as next_day, day - interval '2 days' as before from orders",
    "select id // 2 as half, id % 3 as third, id ** 2 as square, -id as minus from orders",
    "select customer like 'a%' as l, customer ilike 'A%' as i, customer similar to 'a.*' as s from orders",
    "select customer ~ 'a.*' as m, customer[1] as c, customer[1:2] as cc from orders",
    "select not (amount > 1) as small, amount is null as none, amount is distinct from id as d from orders",
    # filters, groups
    "select day, sum(amount) as revenue from orders group by day",
    "select day, sum(amount) as revenue from orders group by all",
    "select day as d, customer as c, count(*) as n from orders group by 1, 2",
    "select day as d, sum(amount) as s from orders group by d having s > 10",
    "select customer, sum(amount) filter (where note is not null) as s from orders group by customer",
    "select customer, store_id, sum(amount) as s from orders group by rollup (customer, store_id)",
    "select customer, store_id, sum(amount) as s from orders group by grouping sets ((customer), (store_id), ())",
    "select customer, store_id, sum(amount) as s, grouping(customer) as g from orders group by cube (customer, store_id)",
    "select count(*) as n from orders",
    "select count() as n from orders",
    "select count(distinct customer) as n from orders",
    "select customer, string_agg(note, ',' order by id, note) as notes from orders group by customer",
    "select customer, list(amount order by id, amount) as amounts from orders group by customer",
    "select customer, arg_max(id, amount) as best from orders group by customer",
    "select customer, quantile_cont(amount, 0.5) as med from orders group by customer",
    "select max(amount) as m from orders having count(*) > 0",
    "select customer, sum(amount) as s from orders group by customer order by s desc, customer",
    "select customer, count(*) as n from orders where exists (select 1 from stores where stores.store_id = orders.store_id) group by customer",
    # joins
    "select o.id, s.city from orders o join stores s on o.store_id = s.store_id",
    "select o.id, s.city from orders o left join stores s using (store_id)",
    "select store_id, city, amount from orders join stores using (store_id)",
    "select * from orders join stores using (store_id)",
    "select city from orders natural join stores",
    "select a.id, b.id as other from orders a, orders b where a.id < b.id",
    "select o.id from orders o cross join stores s",
    "select o.id from orders o semi join stores s using (store_id)",
    "select o.id from orders o anti join stores s on o.store_id = s.store_id",
    "select o.id, s.city from orders o full outer join stores s on o.store_id = s.store_id and s.city <> 'x'",
    "select o.id, s.city from orders o asof join stores s on o.store_id = s.store_id and o.day >= s.opened",
    "select o.id, s.city from orders o positional join stores s",
    "select o.id, s.city from orders as o inner join stores as s on (o.store_id = s.store_id)",
    "select coalesce(s.store_id, o.store_id) as store from orders o full join stores s using (store_id)",
    "select o.id, e.kind from orders o join staging.events e using (id)",
    "select events.kind, staging.events.moment from staging.events",
    'select "events"."kind" from "staging"."events"',
    "select s.city, o.n from stores s join (select store_id, count(*) as n from orders group by store_id) o using (store_id)",
    "select s.city, x.total from stores s, lateral (select sum(amount) as total from orders o where o.store_id = s.store_id) x",
    "select s.city, x.total from stores s left join lateral (select sum(amount) as total from orders o where o.store_id = s.store_id) x on true",
    "select s.city, (select sum(amount) from orders o where o.store_id = s.store_id) as total from stores s",
    "select city from stores where store_id in (select store_id from orders where amount > 5)",
    "select city from stores where store_id not in (from orders select store_id)",
    "select city from stores where store_id = any (select store_id from orders)",
    "select city from stores s where not exists (select * from orders o where o.store_id = s.store_id)",
    "select (from orders select count(*)) as n",
    # with
    "with o as (select * from orders) select day, sum(amount) as s from o group by day",
    "with o as (select * from orders), p as (from o where amount > 1) select id from p",
    "with o(a, b) as (select id, amount from orders) select b from o",
    "with orders as (select * from orders where amount > 1) select id from orders",
    "with o as materialized (select * from orders) select id from o",
    "with recursive n as (select 1 as i union all select i + 1 from n where i < 5) select i from n",
    "with recursive up as (select id, store_id from orders where id = 1 union all select o.id, o.store_id from orders o join up on o.store_id = up.id and o.id > up.id) select id from up",
    "with a as (select store_id from stores) select * from a union select store_id from orders",
    "select * from (with x as (select id from orders) select * from x) y",
    "with unused as (select * from stores) select id from orders",
    # set operations
    "select id, customer from orders union all select id, kind from staging.events",
    "select id from orders union select id from staging.events",
    "select id from orders except select id from staging.events",
    "select id from orders intersect all select id from staging.events",
    "(select id from orders) union all (select store_id from stores) order by 1",
    "select id, customer from orders union all by name select customer, id from orders",
    "from orders select id union all from stores select store_id",
    # windows
    "select id, row_number() over (partition by customer order by day, id) as n from orders",
    "select id, sum(amount) over (order by id rows between 1 preceding and current row) as s from orders",
    "select id, lag(amount, 1, 0) over w as prev from orders window w as (partition by customer order by id)",
    "select id from orders qualify row_number() over (partition by customer order by amount desc, id) = 1",
    "select id, customer, rank() over (order by amount) as r from orders qualify r <= 3",
    "select customer, sum(amount) as s, rank() over (order by sum(amount) desc) as r from orders group by customer",
    # order and limit
    "select id from orders order by amount desc, id limit 3",
    "select id, amount from orders order by all limit 2 offset 1",
    "select id from orders order by id limit 10%",
    "select * from orders order by id",
    "from orders order by amount nulls last, id desc",
    # nested data
    "select id, unnest(tags) as tag from staging.events",
    "select e.id, t.tag from staging.events e, unnest(e.tags) as t(tag)",
    "select id, info.a as a, info.b as b from staging.events",
    "select id, e.info.a as a from staging.events e",
    "select id, info['a'] as a, counts['x'] as x from staging.events",
    "select id, unnest(info) from staging.events",
    "select id, info.* from staging.events",
    "select id, {'x': id, 'y': kind} as s, [id, 2] as l, map {'k': id} as m from staging.events",
    "select list_transform(tags, lambda x: upper(x)) as u from staging.events",
    "select list_filter(tags, lambda x: x <> kind) as u from staging.events",
    "select [upper(x) for x in tags if x <> 'a'] as u from staging.events",
    "select struct_pack(a := id, b := kind) as s from staging.events",
    "select list_reduce([1, 2, 3], lambda acc, x: acc + x) as r, id from orders",
    "select len(tags) as n, tags[1] as one, tags[-1:] as rest from staging.events",
    # pivot
    "pivot orders on customer using sum(amount) group by day",
    "pivot orders on customer in ('a', 'b') using sum(amount) as s group by day",
    "select * from (pivot orders on customer in ('a', 'b') using sum(amount) group by day)",
    "select * from (select day, customer, amount from orders) pivot (sum(amount) for customer in ('a', 'b'))",
    "unpivot wide on jan, feb, mar into name month value sales",
    "select k, month, sales from wide unpivot (sales for month in (jan, feb, mar))",
    "select * from (unpivot (select k, jan, feb from wide) on jan, feb into name month value sales)",
    "unpivot wide on columns(* exclude (k, comment)) into name month value sales",
    # stars that stay
    "select columns('a.*') from orders",
    "select min(columns(*)) from wide",
    "select columns(lambda c: c like 'a%') from orders",
    "select columns(* exclude (note)) + 1 from (select id, store_id, note from orders)",
    "select o from orders o",
    "select count(o) as n from orders o",
    "select #1 from orders",
    "select unnest(o) from (select id from orders) o",
    # other
    "select * from range(3) r(i)",
    "select r.i, o.id from orders o, range(o.id) r(i)",
    "select * from generate_series(1, 3)",
    "select o.id from orders o tablesample 100%",
    "select * from orders using sample 100%",
    "table orders",
    "select id /* from stores */ from orders -- where from stores",
    "select 'from stores' as t, id from orders",
    "select 'naïve 日本 🎉' as t, id from /* ü */ orders where note <> '🎉'",
    "select id from (select * from orders)",
    'select sub."sum(amount)" from (select sum(amount) from orders) sub',
    "select count(*) as n from (select customer, sum(amount) from orders group by customer)",
    "select id from orders where (day, store_id) in (select (opened, store_id) from stores)",
    "select id, amount from orders where amount > (select avg(amount) from orders)",
    "select o1.id from orders o1 join orders o2 on o1.id = o2.store_id where o2.amount > 1",
    "select day.year as y from (select {'year': 1} as day, id from orders)",
    "select max(amount) as m, customer from orders group by customer having max(id) > 1",
    "from (from orders select id, amount) select sum(amount) as s",
    "from o: orders select o.id",
    "select a + b as c from (select id as a, store_id as b, note from orders)",
    "select epoch(day) as e, strftime(day, '%Y') as y from orders",
    "select json_object('id', id) as j from orders",
    "select id, amount::double / 3 as third, round(amount, 1) as r, greatest(id, store_id) as g from orders",
    "select bool_and(amount > 1) as b, any_value(1) as v from orders",
    "select sum(s) as total from (select sum(amount) as s, max(note) as m from orders group by customer)",
    "select trim(both 'a' from customer) as t, substring(customer from 1 for 2) as u, position('a' in customer) as p from orders",
    "select (moment at time zone 'UTC')::varchar as z, kind collate nocase as k from staging.events",
    "select id from orders where note is null and (amount > 1 or amount < -1) and not customer = 'x'",
    "select * from orders o join stores s on o.store_id = s.store_id join staging.events e on e.id = o.id",
)


def pytest_generate_tests(metafunc):
    if "corpus_query" in metafunc.fixturenames:
        metafunc.parametrize("corpus_query", QUERIES, ids=range(len(QUERIES)))


@pytest.fixture(scope="session")
def schemas():
    return {name: tuple(Column(*column) for column in columns) for name, columns in TABLES.items()}


@pytest.fixture(scope="session")
def binder():
    return Binder()


VALUES = {
    "INTEGER": lambda chance: chance.choice(["null", *map(str, range(1, 6))]),
    "VARCHAR": lambda chance: chance.choice(["null", "'a'", "'b'", "'ab'", "'x'", "'🎉'"]),
    "DATE": lambda chance: f"date '2024-0{chance.randint(1, 3)}-0{chance.randint(1, 4)}'",
    "TIMESTAMP": lambda chance: f"timestamp '2024-01-01 0{chance.randint(0, 9)}:00:00'",
    "DECIMAL(10,2)": lambda chance: chance.choice(
        ["null", "1.50", "2.25", "7.00", "-3.10", "12.00"]
    ),
    "VARCHAR[]": lambda chance: chance.choice(["null", "[]", "['a']", "['b', 'a']", "['x', null]"]),
    "STRUCT(a INTEGER, b VARCHAR)": lambda chance: chance.choice(
        ["null", "{'a': 1, 'b': 'x'}", "{'a': null, 'b': 'y'}", "{'a': 3, 'b': 'z'}"]
    ),
    "MAP(VARCHAR, INTEGER)": lambda chance: chance.choice(
        ["map {}", "map {'x': 1}", "map {'x': 2}"]
    ),
}


class Tables:
    """Real tables in DuckDB, whose columns can be given other values one by one."""

    def __init__(self, seed, rows=12):
        self.chance = random.Random(seed)
        self.rows = rows
        self.connection = duckdb.connect(config={"threads": "1"})
        self.connection.execute("create schema staging; create schema one; create schema two")
        for name, columns in TABLES.items():
            for schema in ("one", "two"):
                self._make(f'{schema}."{name}"', columns)
            self.fill(name)

    def _make(self, name, columns):
        lines = [
            ", ".join(f"{VALUES[type_](self.chance)}::{type_}" for _, type_ in columns)
            for _ in range(self.rows)
        ]
        names = ", ".join(column for column, _ in columns)
        rows = ", ".join(f"({line})" for line in lines)
        self.connection.execute(f"create table {name} as from (values {rows}) v({names})")

    def fill(self, name, changed=(), *, shuffled=False):
        """Write the table, with other values in the columns `changed`, or in another order."""
        columns = ", ".join(
            f"{'b' if column in changed else 'a'}.{column}" for column, _ in TABLES[name]
        )
        order = "order by hash(a.rowid)" if shuffled else ""
        self.connection.execute(
            f"create or replace table {name} as select {columns} "
            f'from one."{name}" a positional join two."{name}" b {order}'
        )

    def run(self, text):
        """Return the names and the sorted rows that a query gives, or the error it raises."""
        try:
            result = self.connection.execute(text)
        except duckdb.Error as error:
            return type(error).__name__
        names = [column[0] for column in result.description]
        return names, sorted(map(repr, result.fetchall()))


@pytest.fixture(scope="session")
def make_tables():
    return Tables
