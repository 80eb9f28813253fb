"""The floor: a script of SQL statements, carried out in order in one DuckDB connection.

`python benchmarks/floor.py SCRIPT` prints as JSON how long they took, once connected.
With `--compare BEFORE AFTER` it prints which Parquet files of the folder AFTER hold other
rows than those of the same name in BEFORE.
"""

import argparse
import json
from pathlib import Path
from time import perf_counter


def run_script(script: Path, threads: int | None = None) -> dict[str, float]:
    """Carry out the statements of `script`; return their number and the seconds they took."""
    import duckdb

    statements = script.read_text().removesuffix(";\n\n").split(";\n\n")
    with duckdb.connect(config={"threads": threads} if threads else {}) as connection:
        started = perf_counter()
        for statement in statements:
            connection.execute(statement)
        return {"statements": len(statements), "seconds": perf_counter() - started}


def find_changed(before: Path, after: Path) -> list[str]:
    """Return the names of the tables in `after` whose rows are not those in `before`."""
    import duckdb

    with duckdb.connect() as connection:
        return [
            new.stem
            for new in sorted(after.glob("*.parquet"))
            if connection.execute(_difference(before / new.name, new)).fetchone()
        ]


def _difference(before: Path, after: Path) -> str:
    old, new = f"from read_parquet('{before}')", f"from read_parquet('{after}')"
    return f"(({old}) except all ({new})) union all (({new}) except all ({old})) limit 1"


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("script", type=Path, nargs="?")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("BEFORE", "AFTER"))
    options = parser.parse_args()
    if options.compare:
        print(json.dumps(find_changed(*options.compare)))
    elif options.script:
        print(json.dumps(run_script(options.script, options.threads)))


if __name__ == "__main__":
    _main()
