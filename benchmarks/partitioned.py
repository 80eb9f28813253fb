"""Projects with daily partitions, and the same work written by hand.

All data is made by DuckDB from numbers, the same each time.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

FIRST = date(2023, 1, 1)
LAYER_WIDTH = 100
SETTINGS = 'package = "bench"\n'


@dataclass(frozen=True, slots=True)
class Days:
    """So many days, with so many rows each."""

    count: int
    rows: int = 2

    @property
    def keys(self) -> list[str]:
        """Return the keys of the partitions."""
        return [f"{FIRST + timedelta(number)}" for number in range(self.count)]

    @property
    def end(self) -> date:
        """Return the day after the last."""
        return FIRST + timedelta(self.count)

    def header(self, options: str = "") -> str:
        """Return the header of an asset with these partitions."""
        span = f'start = "{FIRST}", end = "{self.end}"'
        return f"/* assetflow\npartitions = {{ daily = {{ {span} }} }}\n{options}*/\n"

    def source(self, name: str, form: str) -> str:
        """Return the declaration of a source with a file for each day."""
        span = f'daily("{FIRST}", end="{self.end}")'
        path = f"data/{name}/{{day}}.{form}"
        return (
            "from assetflow import daily, source\n\n"
            f'source("{name}", path="{path}", partitions={span})\n'
        )


def write_wide(folder: Path, count: int, days: Days) -> None:
    """Write a project of `count` assets in layers, each with a partition for each of `days`.

    The first layer reads the source of that day, all others one or two assets before.
    """
    _write_package(folder, days.source("raw", "csv"))
    for key in days.keys:
        _write_raw(folder, key)
    for number in range(count):
        path = folder / "bench" / f"a_{number:04d}.sql"
        path.write_text(days.header() + _wide_query(number))


def change_raw(folder: Path, key: str) -> None:
    """Change one day of the source of a wide project."""
    _write_raw(folder, key, last=21)


def restore_raw(folder: Path, key: str) -> None:
    """Make one day of the source what it was, with the same content."""
    _write_raw(folder, key)


def _write_raw(folder: Path, key: str, last: int = 20) -> None:
    path = folder / "data" / "raw" / f"{key}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"id,amount\n1,10\n2,{last}\n")


def _wide_query(number: int) -> str:
    if number < LAYER_WIDTH:
        return f"select t.id, t.amount + {number} as amount from raw as t\n"
    first = f"a_{number - LAYER_WIDTH:04d}"
    if number < 2 * LAYER_WIDTH or number % 4 < 3:  # noqa: PLR2004 - every fourth reads two
        return f"select t.id, t.amount + {number} as amount from {first} as t\n"
    second = f"a_{number - 2 * LAYER_WIDTH:04d}"
    join = f"from {first} as t join {second} as u using (id)"
    return f"select t.id, t.amount + u.amount as amount {join}\n"


QUERY = "select id, day, customer, round(amount * 1.19, 2) as amount from {events} where amount > 1"
"""What is made of the events, row by row, partitioned or not."""


def write_events(folder: Path, days: Days, batch_size: int = 1) -> None:
    """Write a project of one asset over events, which lie in a Parquet file for each day."""
    _write_package(folder, days.source("events", "parquet"))
    batch = f'partition_by = "day"\nbatch_size = {batch_size}\n' if batch_size > 1 else ""
    query = QUERY.format(events="events") + "\n"
    (folder / "bench" / "charged.sql").write_text(days.header(batch) + query)
    _write_days(folder, days)


def write_events_floor(folder: Path, days: Days) -> None:
    """Write `floor.sql`: a `COPY` for each day."""
    copies = [
        f"copy ({QUERY.format(events=_read(f'data/events/{key}.parquet'))}) "
        f"to 'out/{key}.parquet' (format parquet);\n\n"
        for key in days.keys
    ]
    (folder / "floor.sql").write_text("".join(copies))


def write_whole(folder: Path, days: Days) -> None:
    """Write a project of the same asset without partitions, over the same events."""
    declared = 'from assetflow import source\n\nsource("events", path="data/events/*.parquet")\n'
    _write_package(folder, declared)
    (folder / "bench" / "charged.sql").write_text(QUERY.format(events="events") + "\n")
    _write_days(folder, days)


def change_day(folder: Path, days: Days, key: str, by: int) -> None:
    """Change the amounts of one day of the events."""
    import duckdb

    with duckdb.connect() as connection:
        _write_day(connection, folder / "data" / "events", days, key, by)


def _write_days(folder: Path, days: Days) -> None:
    import duckdb

    events = folder / "data" / "events"
    shutil.rmtree(events, ignore_errors=True)
    events.mkdir(parents=True)
    with duckdb.connect() as connection:
        for key in days.keys:
            _write_day(connection, events, days, key, 0)


def _write_day(connection, events: Path, days: Days, key: str, by: int) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    number = (date.fromisoformat(key) - FIRST).days
    connection.execute(
        f"""copy (select {number * days.rows} + row as id, date '{key}' as day,
                         hash(row) % 10000 as customer,
                         (hash(row + {number}) % 100000 / 100 + {by})::decimal(12, 2) as amount
                  from range({days.rows}) as rows(row))
            to '{events / key}.parquet' (format parquet)"""
    )


def _read(path: str) -> str:
    return f"read_parquet('{path}')"


def _write_package(folder: Path, sources: str) -> None:
    shutil.rmtree(folder / "bench", ignore_errors=True)
    (folder / "bench").mkdir(parents=True)
    (folder / "assetflow.toml").write_text(SETTINGS)
    (folder / "bench" / "__init__.py").touch()
    (folder / "bench" / "sources.py").write_text(sources)
