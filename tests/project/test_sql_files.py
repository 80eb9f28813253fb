import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetflow.errors import AssetflowError
from assetflow.model.asset import Options, SqlBody
from assetflow.model.declared_inputs import Location
from assetflow.project.sql_files import macros_in, read_sql_asset, sql_asset
from tests.project.written import messages, text

PATH = "shop/marts/orders.sql"


def error_of(written, path=PATH):
    with pytest.raises(AssetflowError) as caught:
        sql_asset(written, path)
    return messages(caught.value)


def test_a_file_without_header_is_a_query_named_by_the_file():
    asset = sql_asset("select 1\n", PATH)

    assert asset.name == "orders"
    assert asset.body == SqlBody("select 1\n", "duckdb", 1)
    assert asset.options == Options()
    assert asset.location == Location(PATH, 1)
    assert asset.kind == "sql"


def test_the_name_of_a_file_may_be_dotted():
    assert sql_asset("select 1", "shop/staging.orders.sql").name == "staging.orders"


def test_a_header_is_cut_off_before_anything_reads_the_query():
    asset = sql_asset(
        '/* assetflow\nname = "staging.orders"\nowners = ["team:sales"]\n'
        'dialect = "Snowflake"\n*/\n\nselect 1\n',
        PATH,
    )

    assert asset.name == "staging.orders"
    assert asset.options.owners == ("team:sales",)
    assert asset.body == SqlBody("\nselect 1\n", "snowflake", 6)


def test_a_header_ends_at_the_first_line_that_is_its_end_alone():
    asset = sql_asset(
        '/* assetflow\nfiles = ["data/*/a.csv", "b/*/"]\n# */ 5 * * *\n  */  \nselect 1 */ 2\n',
        PATH,
    )

    assert asset.options.files == ("b/*/", "data/*/a.csv")
    assert asset.body.text == "select 1 */ 2\n"


@pytest.mark.parametrize(
    "written",
    [
        "/* assetflow\r\ngroup = 'marts'\r\n*/\r\nselect 1",
        "\n\n  /* assetflow  \ngroup = 'marts'\n*/\nselect 1",
        "/*assetflow\ngroup = 'marts'\n*/\nselect 1",
        "/* AssetFlow\ngroup = 'marts'\n*/\nselect 1",
    ],
)
def test_a_header_may_be_written_in_other_ways(written):
    asset = sql_asset(written, PATH)

    assert asset.options.group == "marts"
    assert asset.body.text == "select 1"


@pytest.mark.parametrize(
    "written",
    [
        "-- notes\nselect 1",
        "/* a note on assetflow */ select 1",
        "select 1 -- assetflow = good\n",
        "/* assetflow reads this */\nselect 1",
        "select '/* assetflow' as a",
        "select 1 / 2",
        "-1",
    ],
)
def test_other_comments_belong_to_the_query(written):
    assert sql_asset(written, PATH).body.text == written


def test_a_name_is_the_same_however_the_file_system_composes_its_letters():
    taken_apart = sql_asset("select 1 as a", "shop/cafe\u0301.sql")

    assert taken_apart.name == sql_asset("select 1 as a", "shop/caf\u00e9.sql").name == "café"


def test_a_file_starts_with_a_byte_order_mark_or_not(tmp_path):
    file = tmp_path / "orders.sql"
    file.write_bytes(b"\xef\xbb\xbf/* assetflow\ngroup = 'marts'\n*/\nselect 'caf\xc3\xa9'")

    asset = read_sql_asset(str(file), PATH)

    assert asset.options.group == "marts"
    assert asset.body.text == "select 'café'"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "/* assetflow\nowners = [\n*/select 1",
            """
            The header of a SQL file has no end.
              begins at  shop/marts/orders.sql:1
            End it with a line that is `*/` alone.
            """,
        ),
        (
            '/* assetflow group = "a" */ select 1',
            """
            The header of a SQL file has keys on its first line.
              begins at  shop/marts/orders.sql:1
            Write `/* assetflow` on a line, each key below it, and `*/` alone on the last line.
            """,
        ),
        (
            "-- notes\n/* assetflow\n*/\nselect 1",
            """
            The header of a SQL file does not stand at its top.
              begins at  shop/marts/orders.sql:2
            Move it before everything else in the file; a file has one header.
            """,
        ),
        (
            "/* assetflow\n*/\n/* assetflow\n*/\nselect 1",
            """
            The header of a SQL file does not stand at its top.
              begins at  shop/marts/orders.sql:3
            Move it before everything else in the file; a file has one header.
            """,
        ),
        (
            "\n/* assetflow\ngroup = 'a'\nowners 3\n*/\nselect 1",
            """
            The header of a SQL file cannot be read as TOML.
              problem  Expected '=' after a key in a key/value pair
              at       shop/marts/orders.sql:4
            Write each key as `name = "value"`, on a line of its own.
            """,
        ),
        (
            "",
            """
            The asset 'orders' has no query.
              defined in  shop/marts/orders.sql:1
            Write a select statement, or remove the file.
            """,
        ),
        (
            "/* assetflow\n*/\n-- nothing\n ;; /* or\nlittle */",
            """
            The asset 'orders' has no query.
              defined in  shop/marts/orders.sql:1
            Write a select statement, or remove the file.
            """,
        ),
        (
            "/* assetflow\n\n\nownerz = []\n*/\nselect 1",
            """
            'ownerz' is not a key of asset 'orders'.
              defined in  shop/marts/orders.sql:4
            Did you mean 'owners'?
            """,
        ),
        (
            "/* assetflow\n[retries]\nattempts = 3\nbackof = '2s'\n*/\nselect 1",
            """
            'backof' is not a key of 'retries' of asset 'orders'.
              defined in  shop/marts/orders.sql:4
            Did you mean 'backoff'?
            """,
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told(written, expected):
    assert error_of(written) == [text(expected)]


def test_a_file_whose_name_cannot_name_an_asset_is_told():
    assert error_of("select 1", "shop/my-orders.sql") == [
        text("""
            'my-orders' cannot be the name of an asset.
              defined in  shop/my-orders.sql:1
            Use letters, digits and underscores, joined by dots, at most 200 characters.
        """)
    ]


def test_a_file_that_is_no_text_says_where(tmp_path):
    file = tmp_path / "orders.sql"
    file.write_bytes("select 1,\n  'ä'".encode("latin-1"))

    with pytest.raises(AssetflowError) as caught:
        read_sql_asset(str(file), PATH)

    assert str(caught.value) == text("""
        A file of the project is not UTF-8 text.
          found  the byte 0xe4
          at     shop/marts/orders.sql:2
        Save the file as UTF-8.
    """)


def test_a_file_that_vanished_is_told(tmp_path):
    with pytest.raises(AssetflowError) as caught:
        read_sql_asset(str(tmp_path / "orders.sql"), PATH)

    assert str(caught.value) == text("""
        A file of the project cannot be read.
          file     shop/marts/orders.sql
          problem  No such file or directory
        Make it readable, or move it out of the package.
    """)


@given(st.text(alphabet="/* assetflow\n\r=;-'\"$a1[]"))
def test_any_text_is_an_asset_or_an_error(written):
    try:
        asset = sql_asset(written, PATH)
    except AssetflowError:
        return
    assert written.endswith(asset.body.text)
    assert written.count("\n") - asset.body.text.count("\n") == asset.body.first_line - 1


def test_macros_are_split_as_sql_is():
    macros, errors = macros_in(
        "-- ours; all of them\n"
        "create macro cents(x) as x * 100;\n"
        "create or replace temp macro \"semi;colon\"(x) as ';' || $$;$$ || E'\\';' ;\n"
        "\n/* a table; */ CREATE FUNCTION pairs(a, b := 1) as table select a, b\n",
        "shop/macros/m.sql",
    )

    assert errors == ()
    assert [(macro.name, macro.location.line) for macro in macros] == [
        ("cents", 2),
        ("semi;colon", 3),
        ("pairs", 5),
    ]
    assert macros[0].sql == "create macro cents(x) as x * 100"


def test_what_is_no_macro_is_told_and_the_others_are_kept():
    macros, errors = macros_in("select 1;\ncreate macro a() as 1;", "shop/macros/m.sql")

    assert [macro.name for macro in macros] == ["a"]
    assert [str(error) for error in errors] == [
        text("""
            A statement among the macros does not create a macro.
              given  select 1
              at     shop/macros/m.sql:1
            Write `create macro name(parameters) as expression;`, or move the query out.
        """)
    ]
