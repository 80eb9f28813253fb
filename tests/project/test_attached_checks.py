"""All checks of an asset come together, and each knows what it reads and is made of."""

import pytest

from assetflow import api
from assetflow.errors import AssetflowError
from assetflow.model.asset import Options
from assetflow.model.checks import check_fingerprint
from assetflow.project.sql_files import sql_asset, sql_check
from tests.project.written import messages, text, write_file

IMPORTS = "import pyarrow as pa\nfrom assetflow import *\n\n"
SHOP = {
    "assetflow.toml": 'package = "shop"\n',
    "data/orders.csv": "id,store_id,amount\n1,1,2.5\n",
    "shop/__init__.py": "",
    "shop/sources.py": IMPORTS + 'source("raw_orders", path="data/*.csv")\n',
    "shop/orders.sql": "/* assetflow\nchecks = [ { unique = 'id' } ]\n*/\nfrom raw_orders\n",
    "shop/stores.sql": "select distinct store_id as id, 'x' as name from raw_orders\n",
}


def loaded(root, files):
    for path, content in (SHOP | files).items():
        write_file(root, path, content)
    return api.load(root)


def problems(root, files):
    with pytest.raises(AssetflowError) as caught:
        api.plan(loaded(root, files))
    return messages(caught.value)


def checks_of(root, files, name="orders"):
    graph = loaded(root, files).graph
    return {check.name: check for check in graph.assets[name].options.checks}


def only(root, files, name):
    return checks_of(root, files)[name]


MORE = {
    "shop/checks/no_debts.sql": "select * from orders where amount < 0\n",
    "shop/checks/known_stores.sql": '/* assetflow check\nasset = "ORDERS"\nseverity = "warn"\n*/\n'
    "select * from orders o anti join stores s on o.store_id = s.id\n",
    "shop/more.py": IMPORTS
    + "@check('Orders')\ndef few(Orders: pa.Table, raw_orders: pa.Table = None, most=3):\n"
    "    return Orders.num_rows < most\n",
    "shop/checks/in_python.py": IMPORTS
    + "@check('orders', name='quick')\ndef other(context: AssetContext):\n    return True\n",
}


def test_checks_come_together_wherever_they_are_declared(tmp_path):
    found = checks_of(tmp_path, MORE)

    assert {name: (one.kind, str(one.location)) for name, one in found.items()} == {
        "unique(id)": ("unique", "shop/orders.sql:2"),
        "quick": ("function", "shop/checks/in_python.py:5"),
        "few": ("function", "shop/more.py:5"),
        "known_stores": ("query", "shop/checks/known_stores.sql:1"),
        "no_debts": ("query", "shop/checks/no_debts.sql:1"),
    }
    assert found["known_stores"].severity == "warn"
    assert found["quick"].body.context == "context"


def test_what_checks_read_is_resolved_as_inputs_are(tmp_path):
    found = checks_of(tmp_path, MORE)

    assert [(one.name, one.upstream, one.form) for one in found["few"].inputs] == [
        ("Orders", "orders", "table"),
        ("raw_orders", "raw_orders", "table"),
    ]
    assert [one.upstream for one in found["known_stores"].inputs] == ["orders", "stores"]
    assert found["few"].body.optional[1].name == "most"


def test_what_checks_read_orders_the_graph(tmp_path):
    graph = loaded(tmp_path, MORE).graph

    assert graph.audits == {"orders": ("raw_orders", "stores")}
    assert list(graph.assets) == ["stores", "orders"]


def test_a_contract_is_one_of_the_checks_with_types_as_duckdb_spells_them(tmp_path):
    header = (
        '/* assetflow\ncontract = "exact"\ncolumns = { a = { type = "int", nullable = false } }\n*/'
    )
    found = checks_of(tmp_path, {"shop/orders.sql": f"{header}\nselect 1 as a"})["contract"]

    assert dict(found.arguments) == {"mode": "exact", "required": ("a",), "types": ("INTEGER",)}
    assert str(found.location) == "shop/orders.sql:1"


def test_without_promises_columns_are_no_check():
    made = sql_asset('/* assetflow\ncolumns = { a = "int" }\n*/\nselect 1 as a', "shop/a.sql")

    assert made.options.checks == Options().checks


FUNCTION = IMPORTS + "LIMIT = {limit}\n\n@check('orders')\ndef few(orders: pa.Table):\n    {body}\n"


def of_function(root, limit=3, body="return orders.num_rows < LIMIT"):
    written = {"shop/more.py": FUNCTION.format(limit=limit, body=body)}
    return check_fingerprint(only(root, written, "few"))


def test_the_fingerprint_of_a_function_follows_all_that_it_reaches(tmp_path):
    before = of_function(tmp_path)

    assert of_function(tmp_path, limit=4) != before
    assert of_function(tmp_path, body="return orders.num_rows <= LIMIT") != before
    assert of_function(tmp_path, body="'''Few.'''; return orders.num_rows < LIMIT") == before


def test_a_function_that_reads_the_outside_is_volatile(tmp_path):
    written = FUNCTION.format(limit=3, body="return orders.num_rows < time.time()")
    found = only(tmp_path, {"shop/more.py": "import time\n" + written}, "few")

    assert found.is_volatile


def of_query(root, text):
    return only(root, {"shop/checks/q.sql": text}, "q")


def test_the_fingerprint_of_a_query_is_that_of_its_canonical_form(tmp_path):
    before = check_fingerprint(of_query(tmp_path, "select * from orders where amount<0"))

    again = of_query(tmp_path, "-- no debts\nSELECT * FROM orders\nWHERE amount < 0")
    assert check_fingerprint(again) == before
    other = of_query(tmp_path, "select * from orders where amount <= 0")
    assert check_fingerprint(other) != before
    assert not other.is_volatile
    assert of_query(tmp_path, "select * from orders where amount < random()").is_volatile


def of_condition(root, said):
    header = f"/* assetflow\nchecks = [ {{ {said}, name = 'c' }} ]\n*/\nfrom raw_orders"
    return only(root, {"shop/orders.sql": header}, "c")


def test_the_fingerprint_of_a_condition_is_that_of_its_canonical_form(tmp_path):
    before = check_fingerprint(of_condition(tmp_path, "expression = 'amount>0'"))

    same = of_condition(tmp_path, "expression = 'AMOUNT  >  0 -- more'")
    assert check_fingerprint(same) == before
    other = of_condition(tmp_path, "expression = 'amount > 0', where = 'id > 1'")
    assert check_fingerprint(other) != before
    assert not other.is_volatile
    assert of_condition(tmp_path, "not_null = 'id', where = 'amount > random()'").is_volatile


def test_a_macro_that_a_condition_calls_is_part_of_its_fingerprint(tmp_path):
    found = []
    for factor in (2, 3):
        write_file(tmp_path, "shop/macros/m.sql", f"create macro more(x) as x * {factor};")
        found.append(check_fingerprint(of_condition(tmp_path, "expression = 'more(amount) > 0'")))

    assert found[0] != found[1]


def test_a_check_of_a_query_says_where_each_part_stands():
    found = sql_check(
        '/* assetflow check\nasset = "orders"\nmax_failures = 3\n*/\n\nselect 1',
        "shop/checks/q.sql",
    )

    assert (found.asset, found.check.name, found.check.max_failures) == ("orders", "q", 3)
    assert (found.check.body.first_line, found.check.body.text) == (5, "\nselect 1")


WRONG = {
    "shop/checks/a_which.sql": "select * from orders join stores on true",
    "shop/checks/b_none.sql": "select * from raw_orders",
    "shop/checks/c_unknown.sql": '/* assetflow check\nasset = "order"\n*/\nselect * from orders',
    "shop/checks/d_source.sql": '/* assetflow check\nasset = "raw_orders"\n*/\nfrom orders',
    "shop/checks/e_reads.sql": '/* assetflow check\nasset = "orders"\n*/\nselect * from store',
    "shop/checks/f_file.sql": "select * from orders where id in (select id from 'a.csv')",
    "shop/checks/g_parameter.sql": "select * from orders where id = $day",
    "shop/checks/h_broken.sql": "select * from orders where",
}
TOLD = """\
    The check 'a_which' does not say of which asset it is.
      reads       orders, stores
      defined in  shop/checks/a_which.sql:1
    Begin the file with /* assetflow check, a line asset = "orders", and a line */.

    The check 'b_none' does not say of which asset it is.
      reads       no asset
      defined in  shop/checks/b_none.sql:1
    Begin the file with /* assetflow check, a line asset = "orders", and a line */.

    No asset is named 'order'.
      checked by  c_unknown
      defined in  shop/checks/c_unknown.sql:1
    Did you mean 'orders'?

    'raw_orders' is a source, and only assets are checked.
      checked by  d_source
      defined in  shop/checks/d_source.sql:1
    Check an asset that reads it.

    The query does not parse.
      at    shop/checks/h_broken.sql:1
      text  select * from orders where
      here                       ^
      says  something is missing after 'where'
    Correct the SQL at the caret, or just before it.

    No asset or source is named 'store'.
      needed by   e_reads of orders
      defined in  shop/checks/e_reads.sql:1
    Did you mean 'stores'?

    The check 'f_file' of 'orders' reads files itself.
      defined in  shop/checks/f_file.sql:1
    Declare the files with source(...), and read that.

    The check 'g_parameter' of 'orders' has the parameter $day, which it is not given.
      defined in  shop/checks/g_parameter.sql:1
    Write the value out.
"""


def test_what_is_wrong_with_queries_is_told_together(tmp_path):
    assert "\n\n".join(problems(tmp_path, WRONG)) == text(TOLD)


def header(*tables):
    lines = "".join(f"  {{ {table} }},\n" for table in tables)
    return {"shop/orders.sql": f"/* assetflow\nchecks = [\n{lines}]\n*/\nfrom raw_orders\n"}


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("unique = 'idd'", "'orders' has no column named 'idd'."),
        ("not_null = 'id', where = 'amont > 0'", "'orders' has no column named 'amont'."),
        ("expression = 'amont > 0'", "Did you mean 'amount'?"),
        ("expression = 'amount >'", "has a condition that does not work."),
        ("expression = 'id; drop table x'", "has a condition that does not work."),
        ("expression = 'amount + [1]'", "has a condition that does not work."),
        ("expression = 'id in (from stores)'", "reads other tables in a condition."),
        ("expression = 'amount > (select avg(amount) from orders)'", "reads its own table in a"),
        ("expression = 'orders.amount > 0'", "has a condition that does not work."),
        ("not_null = 'id', where = 'orders.amount > 0'", "has a condition that does not work."),
        ("expression = 'orders is not null'", "'orders' has no column named 'orders'."),
        ("expression = 'columns(*) > 0'", "takes columns by a pattern in a condition."),
        ("expression = 'id = $x'", "has the parameter $x, which it is not given."),
        ("matches = 'id', pattern = 'a'", "cannot be asked of 'id'."),
        ("string_length = 'id', min = 1", "cannot be asked of 'id'."),
        ("recent = 'amount', max_age = '1d'", "cannot be asked of 'amount'."),
        ("between = 'id', min = 2026-01-01", "cannot be asked of 'id'."),
        ("matches = 'id', pattern = '(?=a)'", "that is no regular expression."),
        ("matches = 'id', pattern = '(a'", "that is no regular expression."),
        ("references = 'store_id', to = 'store.id'", "No asset or source is named 'store'."),
        ("references = 'store_id', to = 'stores.idd'", "'stores' has no column named 'idd'."),
        ("references = 'store_id', to = 'stores.name'", "a text, as what it refers to"),
        (
            "equal_rows = 'stores', columns = ['id', 'amount']",
            "'stores' has no column named 'amount'",
        ),
        ("drift = 'amount', baseline = 'stores'", "'stores' has no column named 'amount'"),
        ("drift = 'amount', baseline = 'older'", "No asset or source is named 'older'."),
        ("column_types = { id = 'integr' }", "'integr' is no type of DuckDB."),
    ],
)
def test_a_check_that_does_not_fit_is_told_before_anything_runs(table, says, tmp_path):
    (message,) = problems(tmp_path, header(table))

    assert says in message
    assert "shop/orders.sql:3" in message


def test_all_checks_that_do_not_fit_are_told_together(tmp_path):
    found = problems(tmp_path, header("unique = 'a'", "not_null = 'b'", "between = 'c', min = 1"))

    assert [message.splitlines()[0] for message in found] == [
        "'orders' has no column named 'a'.",
        "'orders' has no column named 'b'.",
        "'orders' has no column named 'c'.",
    ]


def test_a_check_that_fits_is_no_problem(tmp_path):
    tables = (
        "unique = 'ID'",
        "references = 'store_id', to = 'Stores.ID'",
        "references = 'store_id', to = 'orders.id', name = 'of its own'",
        "expression = 'amount > 0', where = 'id is not null'",
        "drift = 'amount', baseline = 'raw_orders'",
        "accepted_values = 'id', values = [1, 2]",
    )

    assert len(api.plan(loaded(tmp_path, header(*tables))).steps) == 2


def test_an_exact_contract_that_a_query_would_break_is_told_before_anything_runs(tmp_path):
    lines = 'contract = "{}"\ncolumns = {{ a = "int" }}'
    query = "/* assetflow\n" + lines + "\n*/\nselect 1 as a, 2 as b"

    assert api.plan(loaded(tmp_path, {"shop/orders.sql": query.format("additive")}))
    (message,) = problems(tmp_path, {"shop/orders.sql": query.format("exact")})
    assert "  b   declared not, given INTEGER" in message


def test_a_check_that_waits_in_vain_is_told(tmp_path):
    files = header("references = 'store_id', to = 'stores.id'")
    (message,) = problems(
        tmp_path, files | {"shop/stores.sql": "select store_id as id from orders"}
    )

    assert message.startswith("The check 'references(store_id in stores)' of 'orders' reads")


def test_two_checks_of_one_name_are_told_wherever_they_are(tmp_path):
    (message,) = problems(
        tmp_path, header("unique = 'id', name = 'q'") | {"shop/checks/q.sql": "from orders"}
    )

    assert message == text("""
        Two checks of asset 'orders' are named 'q'.
          first   shop/orders.sql:3
          second  shop/checks/q.sql:1
        Give one of them a name of its own, as in name = "each_day_once".
    """)


def test_a_check_among_assets_is_told(tmp_path):
    (message,) = problems(tmp_path, {"shop/q.sql": "/* assetflow check\n*/\nfrom orders"})

    assert message.startswith("A check stands where SQL files are assets.")


def test_a_loaded_project_is_read_from_the_cache_alone(tmp_path, monkeypatch):
    files = MORE | header("expression = 'amount > 0'", "matches = 'name', pattern = '^a'")
    files["shop/orders.sql"] += "select *, 'x' as name\n"
    (tmp_path / ".assetflow").mkdir()
    api.plan(loaded(tmp_path, files))
    monkeypatch.setattr("assetflow.sql.binder.Binder.__init__", lambda *_: pytest.fail("asked"))
    monkeypatch.setattr("assetflow.sql.reading.read_query", lambda *_: pytest.fail("parsed"))

    assert api.plan(loaded(tmp_path, files)).steps


def test_a_check_chooses_no_partitions(tmp_path):
    text = (
        "from typing import Annotated\n\nfrom assetflow import Latest\n" + IMPORTS
    ) + "@check('orders')\ndef few(orders: Annotated[pa.Table, Latest()]):\n    return True\n"

    (message,) = problems(tmp_path, {"shop/more.py": text})

    assert message.startswith("The check 'few' of 'orders' chooses partitions of 'orders'.")
