"""Seconds that a query takes over the published partitions, and over the same rows in one file.

`python benchmarks/reading.py QUERY` prints both as JSON, the medians of many turns;
`--prepare ASSET` first writes the one file, sorted as the partitions are.
"""

import argparse
import json
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

ONE_FILE = "one_file.parquet"
TURNS = 30


def compare(query: str) -> dict[str, float]:
    """Return the median seconds of `query` by us and by hand, in turns."""
    import duckdb

    from assetflow import connect, load

    with connect(load(Path.cwd())) as ours, duckdb.connect() as floor:
        floor.execute(f"create view charged as from read_parquet('{ONE_FILE}')")
        if ours.execute(query).fetchall() != floor.execute(query).fetchall():
            raise SystemExit("The one file holds other rows.")
        taken = [(_seconds(ours, query), _seconds(floor, query)) for _ in range(TURNS)]
    return {"ours": median(one for one, _ in taken), "floor": median(one for _, one in taken)}


def _seconds(connection: Any, query: str) -> float:
    started = perf_counter()
    connection.execute(query).fetchall()
    return perf_counter() - started


def prepare(asset: str) -> None:
    """Write the rows of `asset` to one file."""
    from assetflow import connect, load

    with connect(load(Path.cwd())) as connection:
        connection.execute(f"copy (from {asset} order by day) to '{ONE_FILE}' (format parquet)")


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("query", nargs="?")
    parser.add_argument("--prepare", metavar="ASSET")
    options = parser.parse_args()
    if options.prepare:
        prepare(options.prepare)
    if options.query:
        print(json.dumps(compare(options.query)))


if __name__ == "__main__":
    _main()
