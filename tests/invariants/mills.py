"""A project whose tables all follow from one number, and whose steps write down that they ran."""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import duckdb

from assetflow import api
from tests.project.written import write, write_file

ROWS = 20
TABLES = ("ground", "sifted", "baked", "counted", "packed", "sold")

STEPS = """
    import os
    from pathlib import Path

    import pyarrow as pa
    from assetflow import asset

    LOG = Path(__file__).parents[1] / "ran.log"

    def worked(name, table):
        file = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{name} {table['number'][0].as_py()}\\n".encode())
        os.close(file)
        return table

    @asset
    def sifted(ground: pa.Table) -> pa.Table:
        return worked("sifted", ground)

    @asset
    def counted(grain: pa.Table) -> pa.Table:
        return worked("counted", grain)

    @asset
    def packed(baked: pa.Table, counted: pa.Table) -> pa.Table:
        return worked("packed", pa.concat_tables([baked, counted]))
"""


class Mill:
    """The project in `root`: sources grain and salt hold one number, many times."""

    def __init__(self, root: Path, settings: str = "", threads: int = 2) -> None:
        self.root = root
        self.state = root / ".assetflow"
        self.number = 0
        write(
            root,
            assetflow_toml=f'package = "mill"\nthreads = {threads}\n{settings}',
            mill__sources_py='from assetflow import source\nsource("grain", path="data/grain.csv")',
            mill__steps_py=STEPS,
            mill__ground_sql="select number from grain",
            mill__baked_sql="select number from sifted where number >= 0",
            mill__sold_sql="select number, count(*) over () as n from packed",
        )
        write_file(root, "mill/__init__.py", "")
        self.bring(0)

    def bring(self, number: int) -> None:
        """Let the source hold `number`, from one moment to the next."""
        self.number = number
        fresh = write_file(self.root, "data/fresh", "number\n" + f"{number}\n" * ROWS)
        fresh.replace(self.root / "data" / "grain.csv")

    def served(self) -> set[int]:
        """Return the numbers in all tables, as one connection shows them."""
        with api.connect(api.load(self.root)) as connection:
            return _numbers(connection)

    def served_by_catalog(self) -> set[int]:
        with duckdb.connect(str(self.state / "catalog.duckdb"), read_only=True) as connection:
            return _numbers(connection)

    def worked(self) -> Counter[str]:
        """Return how often each function was called on each number."""
        log = self.root / "ran.log"
        return Counter(log.read_text("utf-8").splitlines() if log.exists() else ())

    def journaled(self) -> list[dict[str, object]]:
        """Return the whole lines of all journals that were not folded yet."""
        texts = []
        for path in (self.state / "journal").glob("*.jsonl"):
            with suppress(FileNotFoundError):  # its run may have ended since
                texts.append(path.read_text("utf-8"))
        lines = [line for text in texts for line in text.split("\n")[:-1]]
        return [json.loads(line) for line in lines]

    def asked(self, query: str) -> list[tuple[object, ...]]:
        """Return what the store answers."""
        path = str(self.state / "metadata.duckdb")
        with duckdb.connect(path, read_only=True) as connection:
            return connection.execute(query).fetchall()

    def names(self, queries: Mapping[str, str]) -> dict[str, set[str]]:
        """Return for each query the names that the store answers with."""
        path = str(self.state / "metadata.duckdb")
        with duckdb.connect(path, read_only=True) as connection:
            return {
                kind: {name for (name,) in connection.execute(query).fetchall()}
                for kind, query in queries.items()
            }

    def ran_twice(self) -> list[tuple[object, ...]]:
        """Return each asset and key that was made more than once, the record being there."""
        return self.asked(
            """select asset, key, count(*) from materializations
               where outcome in ('materialized', 'unchanged') group by all having count(*) > 1"""
        )


def _numbers(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Return the numbers in the tables that there are: all of them, or none yet."""
    tables = connection.execute(
        "select view_name from duckdb_views() where not internal"
    ).fetchall()
    assert len(tables) in (0, len(TABLES))
    queries = [f"select distinct number from {table}" for (table,) in tables]
    return {number for query in queries for (number,) in connection.execute(query).fetchall()}
