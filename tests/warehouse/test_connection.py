"""Every cursor of the engine has the same settings, and nothing from outside."""

import duckdb
import pytest

from assetflow.warehouse.connection import Engine


def test_each_cursor_has_the_settings_and_the_macros(tmp_path):
    macro = "create macro half(x) as x / 2"
    with Engine(1, "1GB", tmp_path, "Europe/Berlin", [macro]) as engine:
        for _ in range(2):
            found = engine.cursor().execute("select current_setting('TimeZone'), half(3)")
            assert found.fetchall() == [("Europe/Berlin", 1.5)]


def test_variables_of_python_are_no_tables(cursor):
    orders = [1]

    with pytest.raises(duckdb.CatalogException):
        cursor.execute("select * from orders").fetchall()

    assert orders == [1]


def test_extensions_are_not_fetched(cursor):
    query = "select value from duckdb_settings() where name like 'auto%known_extensions'"

    assert cursor.execute(query).fetchall() == [("false",), ("false",)]


def test_what_one_cursor_registers_another_does_not_see(engine):
    left, right = engine.cursor(), engine.cursor()
    left.execute("create temp table mine as select 1").fetchall()

    with pytest.raises(duckdb.CatalogException):
        right.execute("from mine").fetchall()
