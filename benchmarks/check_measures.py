"""Seconds of the processor that checks take, beside the same by hand, in one process.

`python benchmarks/check_measures.py NAME` prints them as JSON, the least of turns that
alternate: `small` (24 checks of 1,000 rows), `large` (20 checks and digests of 5 million
rows, and the materialization), `unique` (of 5 million rows).
"""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

from assetflow.model.checks import Check
from assetflow.model.columns import EVERYTHING, Column, ReadSet, Schema

SMALL_ROWS, LARGE_ROWS = 1_000, 5_000_000
THREADS = 2
ORDERS = """select range as id, hash(range, 1) % 1000000 as customer,
  (hash(range, 2) % 500)::int as store,
  date '2020-01-01' + (range % 1500)::int as day, (hash(range, 3) % 100000) / 100 as amount,
  (hash(range, 4) % 10000)::decimal(18, 2) / 100 as price,
  ['north', 'south', 'east'][(hash(range, 5) % 3 + 1)::int] as region,
  'item ' || hash(range, 6) % 10000 as label, md5(range::varchar)[:12] as code,
  hash(range, 7) % 2 = 0 as is_open, timestamp '2020-01-01' + interval (range) second as ordered_at,
  case when range % 20 > 0 then (hash(range, 8) % 1000) / 1000 end as score,
  (hash(range, 9) % 10)::tinyint as grade, 'x' || hash(range, 10) % 1000 as channel,
  hash(range, 11) % 1000000000 as points, (hash(range, 12) % 1000) / 1000 as share
from range({rows})"""
READ_SETS = (
    ("id", "customer"),
    ("store", "day", "amount"),
    ("region",),
    ("id", "label", "code"),
    ("ordered_at", "score", "grade"),
)
AGGREGATES = {
    "avg(amount)": {"function": "mean", "column": "amount", "min": 0},
    "sum(price)": {"function": "sum", "column": "price", "min": 0},
    "stddev_samp(share)": {"function": "stddev", "column": "share", "max": 10},
    "max(ordered_at)": {"function": "max", "column": "ordered_at", "min": "2020-01-01"},
}
CONDITIONS = {
    "id is null": ("not_null", {"columns": ["id"]}),
    "customer is null": ("not_null", {"columns": ["customer"]}),
    "store is null": ("not_null", {"columns": ["store"]}),
    "day is null": ("not_null", {"columns": ["day"]}),
    "is_open is null": ("not_null", {"columns": ["is_open"]}),
    "amount not between 0 and 1000": ("between", {"column": "amount", "min": 0, "max": 1000}),
    "price < 0": ("between", {"column": "price", "min": 0}),
    "score not between 0 and 1": ("between", {"column": "score", "min": 0, "max": 1}),
    "grade not between 0 and 10": ("between", {"column": "grade", "min": 0, "max": 10}),
    "share not between 0 and 1": ("between", {"column": "share", "min": 0, "max": 1}),
    "day < '2020-01-01'": ("between", {"column": "day", "min": "2020-01-01"}),
    "region not in ('north', 'south', 'east')": (
        "accepted_values",
        {"column": "region", "values": ["north", "south", "east"]},
    ),
    "not regexp_matches(channel, '^x[0-9]+$')": (
        "matches",
        {"column": "channel", "pattern": "^x[0-9]+$"},
    ),
    "length(code) <> 12": ("string_length", {"column": "code", "min": 12, "max": 12}),
    "not (amount + 1 > share)": ("expression", {"sql": "amount + 1 > share"}),
    "not (points >= 0)": ("expression", {"sql": "points >= 0"}),
}
MORE = {
    "count(*) - count(distinct id)": ("unique", {"columns": ["id"]}),
    "count(*) - count(distinct (store, ordered_at))": (
        "unique",
        {"columns": ["store", "ordered_at"]},
    ),
    "count(*)": ("row_count", {"min": 1}),
    "count_if(label is null)": ("not_null", {"columns": ["label"]}),
}


def checks_of(*groups: dict[str, Any]) -> tuple[list[str], list[Check]]:
    """Return the aggregates as they are written by hand, and the checks that ask the same."""
    from assetflow.model.check_options import KINDS

    texts, checks = [], []
    for group in groups:
        for text, said in group.items():
            kind, arguments = ("aggregate", said) if group is AGGREGATES else said
            texts.append(f"count(*) filter (where {text})" if group is CONDITIONS else text)
            checks.append(KINDS[kind](**arguments).frozen())
    return texts, checks


def small(connection: Any, scan: str, schema: Schema, turns: int) -> dict[str, float]:
    """Ask 24 checks of few rows: all together, and each by itself."""
    from assetflow.warehouse.auditing import audit_scan, measure

    texts, checks = checks_of(CONDITIONS, AGGREGATES, MORE)
    return compared(
        {
            "ours": lambda: measure(connection, scan, schema, checks, rows=SMALL_ROWS),
            "floor": lambda: [_asked(connection, f"select {text} from {scan}") for text in texts],
            "digest": lambda: audit_scan(connection, scan, schema, [EVERYTHING], (), rows=1000),
            "both": lambda: audit_scan(connection, scan, schema, [EVERYTHING], checks, rows=1000),
        },
        turns,
    )


def large(connection: Any, scan: str, schema: Schema, turns: int) -> dict[str, float]:
    """Ask 20 checks and the digests of five read-sets of many rows; write them, too."""
    from assetflow.warehouse.auditing import audit_scan

    texts, checks = checks_of(CONDITIONS, AGGREGATES)
    read_sets = [EVERYTHING, *map(ReadSet.of, READ_SETS)]
    names = [[column.name for column in schema], *READ_SETS]
    sums = [f"sum(hash(hash({', '.join(columns)}))::hugeint)" for columns in names]
    by_hand = f"select count(*), {', '.join([*sums, *texts])} from {scan}"
    copy = f"copy ({ORDERS.format(rows=LARGE_ROWS)}) to 'again.parquet' (format parquet)"

    def audited(some: Sequence[Check]) -> Callable[[], object]:
        return lambda: audit_scan(connection, scan, schema, read_sets, some, rows=LARGE_ROWS)

    return compared(
        {
            "ours": audited(checks),
            "floor": lambda: _asked(connection, by_hand),
            "digests": audited(()),
            "materialization": lambda: _asked(connection, copy),
        },
        turns,
    )


def unique(connection: Any, scan: str, schema: Schema, turns: int) -> dict[str, float]:
    """Ask whether a key of many rows is unique."""
    from assetflow.warehouse.auditing import measure

    check = checks_of({"": ("unique", {"columns": ["id"]})})[1]
    return compared(
        {
            "ours": lambda: measure(connection, scan, schema, check),
            "floor": lambda: _asked(connection, f"select count(distinct id) from {scan}"),
        },
        turns,
    )


def compared(ways: dict[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """Return the least seconds of the processor of each way, all in turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, run in ways.items():
            started = process_time()
            run()
            taken[name].append(process_time() - started)
    return {name: min(seconds) for name, seconds in taken.items()}


def _asked(connection: Any, query: str) -> object:
    return connection.execute(query).fetchall()


def _main() -> None:
    import duckdb

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=("small", "large", "unique"))
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    rows = SMALL_ROWS if options.name == "small" else LARGE_ROWS
    with duckdb.connect(config={"threads": min(THREADS, os.cpu_count() or 1)}) as connection:
        file = Path(f"orders_{rows}.parquet")
        if not file.exists():
            connection.execute(f"copy ({ORDERS.format(rows=rows)}) to '{file}' (format parquet)")
        scan = f"read_parquet('{file}')"
        described = connection.execute(f"describe from {scan}").fetchall()
        schema = tuple(Column(name, type_) for name, type_, *_ in described)
        print(json.dumps(globals()[options.name](connection, scan, schema, options.turns)))


if __name__ == "__main__":
    _main()
