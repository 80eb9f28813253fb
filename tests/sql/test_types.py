import duckdb
import pytest

from assetflow.errors import TypeNotStored
from assetflow.model.columns import Column
from assetflow.sql.types import cast_projection, needs_cast, stored_schema, stored_type

VALUES = {
    "BOOLEAN": "true",
    "TINYINT": "-128",
    "SMALLINT": "-32768",
    "INTEGER": "1",
    "BIGINT": "9223372036854775807",
    "HUGEINT": "99999999999999999999999999999999999999",
    "UTINYINT": "255",
    "USMALLINT": "65535",
    "UINTEGER": "4294967295",
    "UBIGINT": "18446744073709551615",
    "UHUGEINT": "99999999999999999999999999999999999999",
    "FLOAT": "1.5",
    "DOUBLE": "-0.1",
    "DECIMAL(4,1)": "999.9",
    "DECIMAL(38,10)": "1.0000000001",
    "VARCHAR": "'é'",
    "BLOB": "'\\x00a'::blob",
    "BIT": "'10101'::bit",
    "BIGNUM": "'123456789012345678901234567890123456789012'::bignum",
    "UUID": "'47183823-2574-4bfd-b411-99ed177d3e43'",
    "DATE": "'infinity'",
    "TIME": "'24:00:00'",
    "TIME_NS": "'12:00:00.123456789'",
    "TIMESTAMP": "'2024-01-01 12:00:00.123456'",
    "TIMESTAMP_S": "'2024-01-01 12:00:00'",
    "TIMESTAMP_MS": "'2024-01-01 12:00:00.123'",
    "TIMESTAMP_NS": "'2024-01-01 12:00:00.123456789'",
    "TIMESTAMP WITH TIME ZONE": "'2024-01-01 12:00:00+02'",
    "INTERVAL": "interval '-1 month 2 days 3.123456 seconds'",
    "JSON": "'{\"a\": [1]}'",
    "VARIANT": "42",
    "ENUM('it''s', 'b')": "'it''s'",
    "INTEGER[]": "[1, null]",
    "INTEGER[3]": "[1, 2, 3]",
    "HUGEINT[2][]": "[[1, 2]]",
    "STRUCT(a HUGEINT, \"b c\" ENUM('x', 'y'))": "{'a': 1, 'b c': 'x'}",
    'STRUCT("a,(b" DECIMAL(4,1), d STRUCT(e BIT))': "{'a,(b': 1.5, 'd': {'e': '1'::bit}}",
    "MAP(VARCHAR, HUGEINT)": "map {'a': 1}",
    "MAP(ENUM('a', 'b'), INTERVAL[])": "map {'a': [interval 1 day]}",
    '"NULL"': "null",
    "TIMESTAMP WITH TIME ZONE[]": "['2024-01-01 12:00:00+02'::timestamptz]",
}


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


@pytest.mark.parametrize("type_", VALUES)
def test_a_stored_value_is_read_back_with_its_type_and_content(type_, connection, tmp_path):
    connection.execute(f'create or replace table x as select ({VALUES[type_]})::{type_} as "a b"')
    described = connection.execute("describe x").fetchall()[0][1]
    schema = (Column("a b", described),)
    path = str(tmp_path / "x.parquet")

    connection.execute(f"copy (select {cast_projection(schema)} from x) to '{path}'")

    back = connection.execute(f"describe from '{path}'").fetchall()[0][1]
    assert stored_schema(schema) == (Column("a b", back),)
    before = connection.execute('select "a b"::varchar from x').fetchall()
    assert connection.execute(f"select \"a b\"::varchar from '{path}'").fetchall() == before


def test_every_type_of_duckdb_has_a_value_here_or_is_refused(connection):
    rows = connection.execute(
        "select distinct logical_type from duckdb_types() where type_size is not null or true"
    ).fetchall()
    tried = {type_.partition("(")[0].partition("[")[0].strip('"') for type_ in VALUES}
    refused = {"UNION", "TIME WITH TIME ZONE", "GEOMETRY", "TYPE"}
    nested = {"LIST", "ARRAY", "STRUCT", "MAP", "ENUM", "INVALID", "TUPLE", "TIMESTAMPTZ_NS"}

    assert {name for (name,) in rows} <= tried | refused | nested


def test_values_that_do_not_fit_are_an_error_not_another_number(connection):
    schema = (Column("a", "HUGEINT"),)
    connection.execute(f"create or replace table x as select {10**38}::hugeint as a")

    with pytest.raises(duckdb.ConversionException):
        connection.execute(f"select {cast_projection(schema)} from x").fetchall()


@pytest.mark.parametrize(
    "type_",
    [
        "UNION(a INTEGER, b VARCHAR)",
        "TIME WITH TIME ZONE",
        "STRUCT(a UNION(b INTEGER))",
        "TIME WITH TIME ZONE[]",
        "MAP(VARCHAR, STRUCT(x TIME WITH TIME ZONE[3]))",
        "GEOMETRY",
        "STRUCT()",
        "STRUCT",
    ],
)
def test_what_parquet_cannot_hold_is_an_error_that_names_the_column(type_):
    with pytest.raises(TypeNotStored, match="'when'"):
        stored_type(type_, "when")


def test_columns_that_need_no_cast_are_left_alone():
    schema = (Column("a", "INTEGER"), Column('b "c"', "STRUCT(d VARCHAR)"))

    assert not needs_cast(schema)
    assert cast_projection(schema) == '"a", "b ""c"""'
