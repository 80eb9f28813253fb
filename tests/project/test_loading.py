import subprocess
import sys

import pytest

from assetflow.errors import NoPackage
from assetflow.model.declared_inputs import Input
from tests.project.written import load, text, write, write_file

SETTINGS = 'package = "shop"\n'
IMPORTS = "from assetflow.model.declare import *\n"


def errors_of(root, environment="main", **environ):
    return [str(error) for error in load(root, environment, **environ).errors]


def test_a_project_is_what_its_modules_and_files_declare(tmp_path):
    write(
        tmp_path,
        assetflow_toml=SETTINGS,
        shop__sources_py=IMPORTS + 'source("raw_orders", path="data/*.csv")\n',
        shop__ingest_py=IMPORTS + "@asset\ndef rates(raw_orders): ...\n",
        shop__staging__orders_sql="select * from raw_orders",
        shop__marts__revenue_sql="select 1",
        shop__macros__money_sql="create macro cents(x) as x * 100;",
        shop__checks__positive_sql="select 1",
    )

    found = load(tmp_path)

    assert [asset.name for asset in found.assets] == ["rates", "revenue", "orders"]
    assert [str(asset.location) for asset in found.assets] == [
        "shop/ingest.py:3",
        "shop/marts/revenue.sql:1",
        "shop/staging/orders.sql:1",
    ]
    assert [source.name for source in found.sources] == ["raw_orders"]
    assert [macro.name for macro in found.macros] == ["cents"]
    assert found.modules == ("shop",)
    assert (found.root, found.environment, found.errors) == (tmp_path, "main", ())


def test_a_package_without_anything_is_loaded(tmp_path):
    write(tmp_path, assetflow_toml=SETTINGS)
    (tmp_path / "shop").mkdir()

    found = load(tmp_path)

    assert (found.assets, found.errors) == ((), ())


def test_a_package_that_is_not_there_raises(tmp_path):
    write(tmp_path, assetflow_toml=SETTINGS)

    with pytest.raises(NoPackage) as caught:
        load(tmp_path)

    assert str(caught.value) == text("""
        The project has no package 'shop'.
          looked for  shop and src/shop
        Create the folder, or correct `package` in settings.
    """)


def test_a_parameter_named_like_a_resource_takes_it(tmp_path):
    write(
        tmp_path,
        assetflow_toml=SETTINGS,
        shop__a_py=IMPORTS
        + """
class Client: ...

@asset
def made(orders, client: Client, cache=None): ...

@asset(outputs=["one", "two"])
def split(client, orders): ...
""",
        shop__b_py=IMPORTS + "@resource\ndef client(): ...\n\n@resource\ndef cache(): ...\n",
    )

    found = load(tmp_path)

    made, one, two = found.assets
    assert made.body.resources == ("client", "cache")
    assert made.body.optional == ()
    assert made.inputs == (Input("orders", "table", None, 6),)
    assert one.body.resources == two.body.resources == ("client",)
    assert [read.name for read in two.inputs] == ["orders"]
    assert found.errors == ()


def test_a_parameter_of_no_form_is_told_where_no_resource_has_its_name(tmp_path):
    write(
        tmp_path,
        assetflow_toml=SETTINGS,
        shop__a_py=IMPORTS + "@asset\ndef made(client: int): ...\n",
    )

    assert errors_of(tmp_path) == [
        text("""
            The parameter 'client' of 'made' is annotated with no form of data.
              given       int
              forms       pa.Table, pa.RecordBatchReader, duckdb.DuckDBPyRelation, pd.DataFrame, pl.DataFrame, pl.LazyFrame, list[dict], Path, str
              defined in  shop/a.py:3
            Annotate it with one of the forms, or name it like the resource that it takes.
        """)  # noqa: E501
    ]


def test_names_are_declared_once_across_all_kinds_and_without_case(tmp_path):
    write(
        tmp_path,
        assetflow_toml=SETTINGS,
        shop__a_py=IMPORTS
        + """
for name in ("orders", "orders"):
    asset(name=name)(lambda: 3)
source("Rates", path="rates.csv")
source("shops", path="shops.csv")
resource(name="shops")(lambda: 3)
""",
        shop__rates_sql="select 1",
        shop__macros__m_sql="create macro orders() as 1; create macro ORDERS() as 2;",
    )

    found = load(tmp_path)

    assert [asset.name for asset in found.assets] == ["orders", "rates"]
    assert [source.name for source in found.sources] == ["shops"]
    assert [macro.name for macro in found.macros] == ["orders"]
    assert [str(error) for error in found.errors] == [
        text("""
            Two declarations are named 'orders'.
              first   asset in shop/a.py:4
              second  asset in shop/a.py:4
            Rename one of them.
        """),
        text("""
            Two declarations are named 'rates' and 'Rates'.
              first   asset in shop/rates.sql:1
              second  source in shop/a.py:5
            Rename one of them: case makes no difference.
        """),
        text("""
            Two declarations are named 'shops'.
              first   source in shop/a.py:6
              second  resource in shop/a.py:7
            Rename one of them.
        """),
        text("""
            Two declarations are named 'orders' and 'ORDERS'.
              first   macro in shop/macros/m.sql:1
              second  macro in shop/macros/m.sql:1
            Rename one of them: case makes no difference.
        """),
    ]


def test_an_environment_gives_sources_other_paths(tmp_path):
    write(
        tmp_path,
        assetflow_toml=SETTINGS
        + """
[environments.dev.sources]
raw = "sample/raw.parquet"
feed = "feed.csv"
row = "x.csv"
""",
        shop__a_py=IMPORTS
        + 'source("raw", path="data/*.csv")\nsource("feed", observe=lambda: 3)\n',
    )

    main, dev = load(tmp_path), load(tmp_path, "dev")

    assert [(one.path, one.format) for one in main.sources] == [("data/*.csv", "csv"), ("", None)]
    assert [(one.path, one.format) for one in dev.sources] == [
        ("sample/raw.parquet", "parquet"),
        ("", None),
    ]
    assert main.errors == ()
    assert [str(error) for error in dev.errors] == [
        text("""
            'feed' is observed by a function, so it has no path.
              given a path by  the environment 'dev' in the settings
            Remove 'feed' from the environment's sources.
        """),
        text("""
            'row' is no source.
              given a path by  the environment 'dev' in the settings
            Did you mean 'raw'?
        """),
    ]


def test_a_pool_has_a_limit_in_the_settings(tmp_path):
    write(
        tmp_path,
        assetflow_toml=SETTINGS + "pools = { web = 2 }\n",
        shop__a_py=IMPORTS
        + """
@asset(pool="api", outputs=["a", "b"])
def several(): ...

@asset(pool="webb")
def one(): ...

@asset(pool="web")
def fine(): ...
""",
    )

    assert errors_of(tmp_path) == [
        text("""
            No pool is named 'api'.
              needed by   a
              defined in  shop/a.py:4
            Add its limit to the settings: pools = { api = 4 }.
        """),
        text("""
            No pool is named 'webb'.
              needed by   one
              defined in  shop/a.py:7
            Did you mean 'web'?
        """),
    ]


CONFIGS = (
    IMPORTS
    + """
class ApiConfig(Config):
    url: str
    token: Secret

@asset
def rates(api: ApiConfig): ...

@resource
def client(api: ApiConfig): ...
"""
)


def test_configs_are_checked_once_and_without_their_secrets(tmp_path):
    write(
        tmp_path,
        assetflow_toml=SETTINGS
        + '[config.api_config]\nurk = "x"\ntoken = { env = "T" }\n[config.apy_config]\n',
        shop__a_py=CONFIGS,
    )

    assert errors_of(tmp_path) == [
        text("""
            'url' of config 'ApiConfig' is missing.
              expected    a value
              defined in  the settings
            Add 'url'.
        """),
        text("""
            'urk' is not a key of config 'ApiConfig'.
              defined in  the settings
            Did you mean 'url'?
        """),
        text("""
            No asset or resource takes a config named 'apy_config'.
              defined in  assetflow.toml:5
            Did you mean 'api_config'?
        """),
    ]


def test_a_variable_of_the_process_counts_at_load(tmp_path):
    write(tmp_path, assetflow_toml=SETTINGS, shop__a_py=CONFIGS)

    assert errors_of(tmp_path, ASSETFLOW_API_CONFIG__URL="http://x") == []


def test_a_config_of_a_module_that_failed_is_not_called_unused(tmp_path):
    write(
        tmp_path,
        assetflow_toml=SETTINGS + '[config.api_config]\nurl = "x"\n',
        shop__a_py="1 / 0\n" + CONFIGS,
    )

    assert [error.code for error in load(tmp_path).errors] == ["module_failed"]


def test_all_that_is_wrong_is_told_together(tmp_path):
    write(
        tmp_path,
        assetflow_toml=SETTINGS,
        shop__a_py="1 / 0",
        shop__b_py=IMPORTS + "@asset(ownerz=[], tagz=[])\ndef b(): ...\n",
        shop__c_sql="/* assetflow\nownerz = []\ntagz = []\n*/\nselect 1",
        shop__d_sql="",
        shop__fine_sql="select 1",
        shop__macros__m_sql="select 1",
    )
    (tmp_path / "shop" / "e.sql").write_bytes(b"\xff")
    (tmp_path / "shop" / "macros" / "n.sql").write_bytes(b"\xff")

    found = load(tmp_path)

    assert [asset.name for asset in found.assets] == ["fine"]
    assert sorted(error.code for error in found.errors) == [
        "empty_query",
        "module_failed",
        "not_a_macro",
        "not_utf8",
        "not_utf8",
        "unknown_key",
        "unknown_key",
        "unknown_key",
        "unknown_key",
    ]


def test_an_edit_is_seen_by_the_next_load_of_the_same_process(tmp_path):
    write(tmp_path, assetflow_toml=SETTINGS, shop__a_py=IMPORTS + "RATE = 1\n")

    for rate in (2, 3, 4):
        write_file(
            tmp_path,
            "shop/a.py",
            f"{IMPORTS}@asset\ndef made():\n    return {rate}\n",
        )
        [made] = load(tmp_path).assets
        assert made.body.function() == rate


def test_loading_imports_no_heavy_library(tmp_path):
    write(
        tmp_path,
        assetflow_toml=SETTINGS,
        shop__a_py=IMPORTS + "@asset\ndef a(b: 'pl.DataFrame', c: 'pa.Table'): ...\n",
        shop__b_sql="select 1",
    )
    program = (
        "import sys; from pathlib import Path\n"
        "from assetflow.project.loading import load_declarations\n"
        "from assetflow.project.settings import read_settings\n"
        f"root = Path({str(tmp_path)!r})\n"
        "assert len(load_declarations(root, read_settings(root)).assets) == 2\n"
        "print(sorted({'duckdb', 'pyarrow', 'sqlglot', 'pandas', 'polars'} & {*sys.modules}))\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert done.stdout.decode().strip() == "[]"
