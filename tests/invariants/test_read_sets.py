"""Invariant 2: read-sets are sound, end to end.

A gallery of queries, each an asset, over Parquet files whose columns get other values one
by one. What does not read a column must not run, and must still be what its query gives;
what reads it must run, unless it was made from the same before.

    ASSETFLOW_EXAMPLES=1 pytest tests/invariants/test_read_sets.py      each of the queries
"""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from assetflow import api
from assetflow.model.columns import ReadSet
from tests.project.written import write, write_file
from tests.sql.conftest import QUERIES, TABLES, Tables
from tests.sql.test_soundness import EXTRA

RAN = ("materialized", "unchanged")
EVERY = 1 if "ASSETFLOW_EXAMPLES" in os.environ else 4
LEFT_OUT = ("sample", "current_schema", "s.store_id join staging")  # volatile; two columns 'id'
GALLERY = {
    f"q{number:03}": text
    for number, text in enumerate((*QUERIES, *EXTRA))
    if number % EVERY == 0 and not any(words in text for words in LEFT_OUT)
}


class Gallery:
    """The queries as a project in `root`, and the tables that its sources are copied from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tables = Tables(seed=1)
        self.made: dict[str, set[object]] = {name: set() for name in GALLERY}
        declared = [f'source("{name}", path="data/{name}.parquet")' for name in TABLES]
        write(
            root,
            assetflow_toml='package = "shop"\nthreads = 2\n',
            shop__sources_py="from assetflow import source\n" + "\n".join(declared),
        )
        write_file(root, "shop/__init__.py", "")
        for name, text in GALLERY.items():
            write_file(root, f"shop/{name}.sql", text)
        (root / "data").mkdir()
        self.change({})

    def change(self, columns: Mapping[str, Collection[str]]) -> None:
        """Give other values to `columns` of tables, and the first values to all others."""
        for name in TABLES:
            self.tables.fill(name, columns.get(name, ()))
            self.copy(name)

    def rotate(self, table: str, column: str) -> None:
        """Give each row of `table` the value that the next one had in `column`."""
        rotated = f'(select {column} as moved from "{table}" order by rowid = 0, rowid)'
        self.write(table, f"* exclude (moved) replace (moved as {column})", rotated)

    def swap(self, table: str, one: str, other: str) -> None:
        """Exchange the values of two columns."""
        self.write(table, f"* replace ({one} as {other}, {other} as {one})")

    def write(self, table: str, columns: str, beside: str = "") -> None:
        joined = f"positional join {beside}" if beside else ""
        text = f'create or replace table "{table}" as select {columns} from "{table}" {joined}'
        self.tables.connection.execute(text)
        self.copy(table)

    def copy(self, table: str) -> None:
        scan = table if "." in table else f'"{table}"'
        self.tables.connection.execute(f"copy {scan} to '{self.root}/data/{table}.parquet'")

    def read_sets(self) -> Mapping[str, Mapping[str, ReadSet]]:
        """Return what each query reads of each table, as the lineage says it."""
        return api.lineage(api.load(self.root)).read_sets

    def identities(self) -> dict[str, object]:
        """Return for each query what it reads, as it is now."""
        return {
            name: tuple((table, self._seen(table, reads[table])) for table in sorted(reads))
            for name, reads in self.read_sets().items()
        }

    def _seen(self, table: str, read_set: ReadSet) -> object:
        names = (column for column, _ in TABLES[table])
        columns = list(names if read_set.columns is None else read_set.columns)
        chosen = ", ".join(columns or ["1"])
        scan = table if "." in table else f'"{table}"'
        rows = self.tables.connection.execute(f"select {chosen} from {scan}").fetchall()
        texts = [repr(row) for row in rows]
        return tuple(columns), tuple(texts if read_set.ordered else sorted(texts))

    def wrong(self) -> Iterator[str]:
        """Yield each query whose published result is not what DuckDB gives for its text."""
        with api.connect(api.load(self.root)) as connection:
            for name, text in GALLERY.items():
                served = connection.execute(f"from {name}").fetchall()
                wanted = self.tables.connection.execute(text).fetchall()
                if counted(served) != counted(wanted):
                    yield text


def counted(rows: list[tuple[object, ...]]) -> Counter[str]:
    return Counter(repr(plain(row)) for row in rows)


def plain(value: object) -> object:
    """Return a value without the differences between what DuckDB gives and what Parquet keeps."""
    match value:
        case bool():
            return value
        case int() | Decimal():
            return float(value)
        case list() | tuple():
            return [plain(each) for each in value]
        case dict():
            return [(plain(name), plain(each)) for name, each in value.items()]
    return value


def changes() -> dict[str, Callable[[Gallery], None]]:
    """Return what is done to the data: of each table the first column, the second …; more."""
    longest = max(len(columns) for columns in TABLES.values())
    single = [
        {name: [columns[place][0]] for name, columns in TABLES.items() if place < len(columns)}
        for place in range(longest)
    ]
    named = {
        f"column {place}": partial(Gallery.change, columns=one) for place, one in enumerate(single)
    }
    return {
        **named,
        "none": partial(Gallery.change, columns={}),
        "two columns": partial(Gallery.change, columns={"orders": ["id", "note"], "wide": ["jan"]}),
        "rotated": partial(Gallery.rotate, table="orders", column="amount"),
        "swapped": partial(Gallery.swap, table="wide", one="jan", other="mar"),
    }


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    gallery = Gallery(tmp_path_factory.mktemp("gallery"))
    result = api.materialize(api.load(gallery.root))
    assert result.status == "succeeded", [step.error for step in result.steps if step.error]
    for name, identity in gallery.identities().items():
        gallery.made[name].add(identity)
    return gallery


@pytest.mark.parametrize("change", changes().values(), ids=changes())
def test_what_does_not_read_a_column_does_not_run_and_is_right(gallery, change):
    change(gallery)
    identities = gallery.identities()
    expected = {name for name, one in identities.items() if one not in gallery.made[name]}

    result = api.materialize(api.load(gallery.root))

    assert result.status == "succeeded", [step.error for step in result.steps if step.error]
    assert {step.target.asset for step in result.steps if step.outcome in RAN} == expected
    assert list(gallery.wrong()) == []
    for name in expected:
        gallery.made[name].add(identities[name])
