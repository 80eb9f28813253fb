"""Declarations that cannot work: all are said together, nothing runs, nothing is lost."""

import pytest

from tests.bad_input.shop import FILES
from tests.golden import assert_golden

TWICE = "from assetflow import asset\nfrom shop.helpers import rate\n"
CIRCLE = {
    "shop/a.sql": "select * from b\n",
    "shop/b.sql": "select * from c\n",
    "shop/marts.py": """
        import pyarrow as pa
        from assetflow import asset

        @asset
        def c(a: pa.Table) -> pa.Table:
            return a
    """,
}
CONFIG = """
    from assetflow import Config, Secret, asset

    class Api(Config):
        url: str
        pages: int = 3
        token: Secret

    @asset
    def answers(api: Api) -> list[dict]:
        return [{"url": api.url}]
"""
WRONG = {
    # headers
    "malformed_header": {"shop/bad.sql": "/* assetflow\nowners = [team\n*/\nselect 1 as a\n"},
    "unknown_header_key": {"shop/bad.sql": '/* assetflow\nowner = ["me"]\n*/\nselect 1 as a\n'},
    "wrong_header_value": {"shop/bad.sql": "/* assetflow\nretries = true\n*/\nselect 1 as a\n"},
    "header_without_end": {"shop/bad.sql": "/* assetflow\ntags = []\nselect 1 as a\n"},
    "header_on_one_line": {"shop/bad.sql": '/* assetflow group = "a" */\nselect 1 as a\n'},
    "header_below": {"shop/bad.sql": "select 1 as a\n/* assetflow\ntags = []\n*/\n"},
    "column_of_no_type": {
        "shop/bad.sql": '/* assetflow\ncolumns = { a = "INTEGR" }\n*/\nselect 1 as a\n'
    },
    # partitions
    "partitions_without_an_hour": {
        "shop/bad.sql": '/* assetflow\npartitions = { hourly = { start = "2026-01-05T25" } }\n*/\n'
        "select 1 as a\n"
    },
    "partitions_that_end_before_they_start": {
        "shop/bad.sql": "/* assetflow\n"
        'partitions = { daily = { start = "2026-02-01", end = "2026-01-01" } }\n'
        "batch_size = 7\n*/\nselect 1 as a\n"
    },
    "partitions_of_no_time_zone": {
        "shop/bad.py": """
            from assetflow import asset, daily

            @asset(partitions=daily("2026-01-01", timezone="Europe/Atlantis"))
            def bad() -> list[dict]:
                return []
        """
    },
    "partitions_that_do_not_map": {
        "shop/bad.sql": '/* assetflow\npartitions = { weekly = { start = "2026-W02" } }\n*/\n'
        "select * from worse\n",
        "shop/worse.sql": '/* assetflow\npartitions = { monthly = { start = "2026-01" } }\n'
        "mappings = { raw_order = { trailing = 2 } }\n*/\nselect * from raw_orders\n",
    },
    "paths_that_tell_no_partition": {
        "shop/bad.py": """
            from assetflow import daily, source

            source("a", path="a/*.csv", partitions=daily("2026-01-01"))
            source("b", path="b/{month}.csv", partitions=daily("2026-01-01"))
            source("c", path="c/{region}.csv")
        """
    },
    # queries
    "unparsable_sql": {"shop/bad.sql": "select id,\n  sum(amount\nfrom orders\n"},
    "unparsable_sql_below_a_header": {
        "shop/bad.sql": "/* assetflow\ntags = []\n*/\nselect id\nfrom orders wher id = 1 and\n"
    },
    "unfinished_string": {"shop/bad.sql": "select 'it as a from orders\n"},
    "empty_query": {"shop/bad.sql": "-- nothing yet\n"},
    "empty_file": {"shop/bad.sql": ""},
    "two_statements": {"shop/bad.sql": "select 1 as a; select 2 as b\n"},
    "no_query": {"shop/bad.sql": "create table t as select 1 as a\n"},
    "unknown_dialect": {"shop/bad.sql": '/* assetflow\ndialect = "oracel"\n*/\nselect 1 as a\n'},
    "missing_column": {"shop/bad.sql": "select id,\n       amont * 2 as doubled\nfrom orders\n"},
    "missing_column_of_an_alias": {"shop/bad.sql": "select o.idd from orders o\n"},
    "missing_column_of_a_source": {"shop/bad.sql": "select amout from raw_orders\n"},
    "wrong_types": {"shop/bad.sql": "select id + [1] as a from orders\n"},
    "unknown_function": {"shop/bad.sql": "select summ(amount) as a from orders\n"},
    "unknown_table": {"shop/bad.sql": "select * from ordrs\n"},
    "unknown_parameter": {
        "shop/marts.py": """
            from assetflow import asset

            @asset
            def totals(ordres):
                return ordres
        """
    },
    "unknown_variable": {"shop/bad.sql": "select $limt as a\n"},
    "duplicate_columns": {"shop/bad.sql": "select id, amount as ID from orders\n"},
    "type_not_stored": {"shop/bad.sql": "select union_value(a := 1) as u\n"},
    "hidden_input": {"shop/bad.sql": "select * from query_table('orders')\n"},
    # graphs
    "circle": CIRCLE,
    "self_reference": {"shop/totals.sql": "select * from totals\n"},
    "self_reference_in_python": {
        "shop/marts.py": """
            import pyarrow as pa
            from assetflow import asset

            @asset
            def totals(totals: pa.Table) -> pa.Table:
                return totals
        """
    },
    # names
    "names_that_differ_in_case": {"shop/Orders.sql": "select 1 as a\n"},
    "one_name_twice": {"shop/marts/orders.sql": "select 1 as a\n"},
    "one_name_in_sql_and_python": {
        "shop/marts.py": """
            from assetflow import asset

            @asset
            def orders():
                return [{"a": 1}]
        """
    },
    "a_name_of_a_source": {"shop/raw_orders.sql": "select 1 as a\n"},
    "a_very_long_name": {
        "shop/bad.sql": f'/* assetflow\nname = "{"a" * 201}"\n*/\nselect 1 as a\n'
    },
    "a_name_with_a_slash": {"shop/bad.sql": '/* assetflow\nname = "a/b"\n*/\nselect 1 as a\n'},
    "a_file_name_that_is_no_name": {"shop/my orders (1).sql": "select 1 as a\n"},
    # modules
    "import_error": {
        "shop/marts.py": "import numpie\n",
        "shop/bad.sql": "select * from ordrs\n",
    },
    "import_error_of_our_own": {
        "shop/helpers.py": "RATE = 2\n",
        "shop/marts.py": TWICE,
        "shop/more.py": TWICE,
    },
    "syntax_error": {
        "shop/marts.py": "def f(:\n    pass\n",
        "shop/other.py": "1 / 0\n",
        "shop/bad.sql": "select id from orders where\n",
    },
    "exit_in_a_module": {"shop/marts.py": "import sys\n\nsys.exit(3)\n"},
    "python_that_is_not_utf8": {"shop/marts.py": b"NAME = 'Gr\xf6\xdfe'\n"},
    "sql_that_is_not_utf8": {"shop/bad.sql": b"select 'Gr\xf6\xdfe' as a\n"},
    "settings_that_are_not_utf8": {"assetflow.toml": b'package = "sh\xf6p"\n'},
    "null_bytes_in_python": {"shop/marts.py": b"A = 1\x00\n"},
    "null_bytes_in_sql": {"shop/bad.sql": b"select 1\x00 as a\n"},
    # options
    "a_pool_without_limit": {"shop/bad.sql": '/* assetflow\npool = "api"\n*/\nselect 1 as a\n'},
    "unknown_decorator_key": {
        "shop/marts.py": """
            from assetflow import asset

            @asset(retrys=3)
            def a():
                return [{"a": 1}]
        """
    },
    "wrong_decorator_value": {
        "shop/marts.py": """
            from assetflow import asset

            @asset(timeout="soon")
            def a():
                return [{"a": 1}]
        """
    },
    "unknown_form": {
        "shop/marts.py": """
            from assetflow import asset

            @asset
            def a(orders: int):
                return [{"a": 1}]
        """
    },
    "a_coroutine": {
        "shop/marts.py": """
            from assetflow import asset

            @asset
            async def a():
                return [{"a": 1}]
        """
    },
    # settings
    "malformed_settings": {"assetflow.toml": "package = shop\n"},
    "unknown_setting": {"assetflow.toml": 'package = "shop"\nthread = 2\n'},
    "wrong_settings": {
        "assetflow.toml": """
            package = "shop"
            threads = 0
            memory_limit = "lots"
            timezone = "Europe/Berlen"
            publish = "now"
            pools = { api = 0 }
            retention = "1m"
        """
    },
    "no_package_named": {"assetflow.toml": "threads = 2\n"},
    "unknown_package": {"assetflow.toml": 'package = "shopp"\n'},
    "both_settings": {"pyproject.toml": '[tool.assetflow]\npackage = "shop"\n'},
    "secret_written_out": {
        "shop/marts.py": CONFIG,
        "assetflow.toml": """
            package = "shop"

            [config.api]
            url = "https://example.org"
            token = "s3cr3t"
        """,
    },
    "wrong_config": {
        "shop/marts.py": CONFIG,
        "assetflow.toml": """
            package = "shop"

            [config.api]
            pages = "many"
            token = { env = "TOKEN" }
            urls = "https://example.org"
        """,
    },
    "unknown_config": {"assetflow.toml": 'package = "shop"\n\n[config.apo]\nurl = "a"\n'},
    "policies_of_the_settings": {
        "assetflow.toml": """
            package = "shop"

            [freshness.groups]
            marts = { max_lag = "6h" }

            [freshness.tags.daily]
            deadline = "0 7 * * *"
            within = "1d"
            timezone = "Europe/Atlantis"
        """
    },
    "policies_that_nothing_has": {
        "assetflow.toml": """
            package = "shop"

            [freshness.groups]
            mart = { max_lag = "6h" }

            [freshness.tags]
            daily = { max_lag = "6h" }
        """,
        "shop/orders.sql": '/* assetflow\ngroup = "marts"\n*/\n'
        "select id, amount::double as amount from raw_orders\n",
    },
    "a_policy_of_a_header": {
        "shop/bad.sql": "/* assetflow\n"
        'freshness = { max_lag = "6h", warn_lag = "8h" }\n*/\nselect 1 as a\n'
    },
    "unknown_source_of_an_environment": {
        "assetflow.toml": """
            package = "shop"

            [environments.main.sources]
            raw_order = "sample.csv"
        """
    },
    # sources
    "source_without_a_path": {
        "shop/more.py": 'from assetflow import source\n\nsource("weather")\n'
    },
    "source_of_unknown_format": {
        "shop/more.py": 'from assetflow import source\n\nsource("weather", path="weather.xlsx")\n'
    },
    # checks
    "checks_that_promise_nothing": {
        "shop/bad.sql": """
            /* assetflow
            checks = [
              { uniqe = "id" },
              { unique = "id", not_null = "id" },
              { between = { column = "id", min = 3, max = 1 } },
              { not_null = "id", severity = "warn", on_failure = "block" },
              { unique = "id", on_failure = "quarantine" },
              { not_null = "id", max_fraction = 2 },
              { row_count = 3 },
            ]
            */
            select 1 as id
        """
    },
    "checks_of_one_name": {
        "shop/bad.sql": '/* assetflow\nchecks = [ { unique = "a" }, { unique = "a" } ]\n*/\n'
        "select 1 as a\n"
    },
    "checks_that_do_not_fit": {
        "shop/bad.sql": """
            /* assetflow
            checks = [
              { unique = "idd" },
              { matches = "id", pattern = "^a" },
              { references = "id", to = "orders.idd" },
              { expression = "id + [1]" },
            ]
            */
            select id from raw_orders
        """
    },
    "checks_that_cannot_be_asked": {
        "shop/checks/a.sql": "select 1 as a\n",
        "shop/checks/b.sql": '/* assetflow check\nasset = "ordrs"\n*/\nselect * from orders\n',
        "shop/checks/c.sql": "select * from orders where id = $day\n",
        "shop/bad.sql": "/* assetflow check\n*/\nselect * from orders\n",
        "shop/more.py": """
            import pyarrow as pa
            from assetflow import asset, check, matches, source

            @asset(checks=[matches("a", "(?=b)"), matches("a", "")])
            def more() -> list[dict]:
                return [{"a": "b"}]

            @asset(outputs=["left", "right"])
            def both() -> tuple[pa.Table, pa.Table]: ...

            @check(both)
            def one(left: pa.Table) -> bool: ...

            @check("raw_orders")
            def two(raw_orders: pa.Table) -> bool: ...

            @check("orders", max_failure=3)
            def three(orders: pa.Table) -> bool: ...

            @check("orders")
            async def four(orders: pa.Table) -> bool: ...
        """,
    },
    "checks_in_a_circle": {
        "shop/orders.sql": '/* assetflow\nchecks = [ { equal_rows = "totals" } ]\n*/\n'
        "select id, amount::double as amount from raw_orders\n",
        "shop/totals.sql": "select * from orders\n",
    },
    "checks_that_wait_for_one_another": {
        "shop/a.sql": '/* assetflow\nchecks = [ { equal_rows = "b" } ]\n*/\nselect 1 as a\n',
        "shop/b.sql": '/* assetflow\nchecks = [ { equal_rows = "a" } ]\n*/\nselect 1 as a\n',
    },
    "a_contract_that_a_query_breaks": {
        "shop/bad.sql": '/* assetflow\ncontract = "exact"\n'
        'columns = { id = "bigint", day = { type = "date", nullable = false } }\n*/\n'
        "select id::integer as id, amount from raw_orders\n"
    },
    "a_contract_about_nothing": {
        "shop/bad.sql": '/* assetflow\ncontract = "exact"\n*/\nselect id from raw_orders\n'
    },
    "a_broken_macro": {"shop/macros/m.sql": "create macro twice(x) as x x x;\n"},
    "no_macro": {"shop/macros/m.sql": "select 1\n"},
}


@pytest.mark.parametrize(("name", "files"), WRONG.items(), ids=WRONG)
def test_what_cannot_work_is_said_before_anything_runs(name, files, shop):
    before = shop.kept()
    shop.write(files)

    said = shop.run("plan")
    document = shop.run("materialize", "--json")

    assert_golden(f"bad_input/{name}", said.err)
    assert (said.code, said.out) == (2, "")
    assert (document.code, document.err) == (2, "")
    assert_reads_well(document.document["error"])
    assert shop.kept() == before


CHECKS = {
    "shop/checks.py": """
        from assetflow import check

        @check("bad")
        def holds(bad) -> bool:
            return True

        @check("bod")
        def holds_elsewhere(bod) -> bool:
            return True
    """,
    "shop/checks/negative.sql": "select * from bad where a < 0\n",
    "shop/below.sql": "select * from bad\n",
}


@pytest.mark.parametrize(
    "files",
    [
        {"shop/bad.sql": "/* assetflow\nchecks = [{ betwen = 1 }]\n*/\nselect 1 as a\n"},
        {"shop/bad.sql": "/* assetflow\nowner = 1\n*/\nselect 1 as a\n"},
        {
            "shop/wrong.py": "from assetflow import asset\n"
            "@asset(freshness=3)\ndef bad() -> list[dict]:\n    return []\n"
        },
        {
            "shop/wrong.py": "import no_such_package\nfrom assetflow import asset\n"
            "@asset\ndef bad() -> list[dict]:\n    return []\n"
        },
    ],
    ids=["check", "key", "decorator", "module"],
)
def test_what_is_about_a_definition_that_is_wrong_is_not_told_as_unknown(files, shop):
    shop.write({**CHECKS, **files})

    said = shop.run("plan").err

    assert "named 'bad'" not in said
    assert "does not say of which asset" not in said
    assert "No asset is named 'bod'." in said
    assert "2 definitions cannot work." in said


def assert_reads_well(error):
    """A sentence, facts and a way out; where there are several errors, each of them."""
    assert {"code", "headline", "facts", "hint"} <= error.keys()
    for one in error.get("errors", [error]):
        assert one["headline"].endswith(".")
        assert one["hint"].endswith((".", "?", ")", "}", '"', "=", "]")) or " = " in one["hint"]


@pytest.mark.parametrize("name", ["circle", "syntax_error", "missing_column", "wrong_settings"])
def test_after_a_correction_all_is_as_before(name, shop):
    shop.write(WRONG[name])
    assert shop.run("materialize").code == 2

    shop.write({path: FILES.get(path) for path in WRONG[name]})

    assert shop.run("materialize").out == "Everything is up to date: 1 asset.\n"


def test_a_missing_column_stops_the_run_before_its_first_step(shop):
    shop.write({"shop/first.sql": "select 1 as a\n", "shop/bad.sql": "select amont from orders\n"})

    said = shop.run("materialize")

    assert said.code == 2
    assert shop.published().keys() == {"orders"}
    assert "first" not in shop.run("runs").out


def test_an_empty_project_is_told_what_to_add(shop):
    shop.write({"shop/orders.sql": None})

    said = shop.run("plan")

    assert said.code == 2
    assert_golden("bad_input/empty_project", said.err)


@pytest.mark.parametrize("command", ["ls", "status", "lineage", "runs", "sql", "gc", "doctor"])
def test_every_command_says_what_is_wrong_with_the_project(command, shop):
    shop.write({"shop/bad.sql": "select * from ordrs\n"})

    said = shop.run(command, *(["select 1"] if command == "sql" else []))

    assert said.code == (1 if command == "doctor" else 2)
    assert "No asset or source is named 'ordrs'." in said.text


def test_no_project(shop, tmp_path):
    shop.root = tmp_path / "elsewhere"
    shop.root.mkdir()

    said = shop.run("plan")

    assert said.code == 2
    assert_golden("bad_input/no_project", said.err)


@pytest.mark.parametrize("path", ["shop/bad.sql", "shop/marts.py"])
def test_a_file_of_the_project_that_cannot_be_read(path, shop):
    from tests.bad_input.shop import without_privilege

    shop.write({path: "select 1 as a\n"})
    (shop.root / path).chmod(0)

    said = shop.process("plan", preexec_fn=without_privilege)

    assert said.code == 2
    assert_golden(f"bad_input/unreadable_{path[-3:].lstrip('.')}", said.err)
