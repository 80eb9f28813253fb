"""TPC-H as a project: eight sources, and its 22 queries with their validation parameters.

The queries are written from the specification, in the SQL of DuckDB; at scale factor 1
their answers are the published ones. The data comes from the package `tpchgen-cli`.
"""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

TABLES = (
    "customer",
    "lineitem",
    "nation",
    "orders",
    "part",
    "partsupp",
    "region",
    "supplier",
)
QUERIES = Path(__file__).parent / "tpch_queries"
GENERATOR = "tpchgen-cli==4.0.0"

SETTINGS = 'package = "tpch"\n'


def write_project(folder: Path, scale: float = 1) -> int:
    """Write the project with its floor into `folder`; return the number of its assets."""
    package = folder / "tpch"
    package.mkdir(parents=True, exist_ok=True)
    (folder / "assetflow.toml").write_text(SETTINGS)
    (package / "__init__.py").touch()
    (package / "sources.py").write_text(_sources())
    queries = {path.stem: path.read_text() for path in sorted(QUERIES.glob("*.sql"))}
    for name, query in queries.items():
        (package / f"{name}.sql").write_text(query)
    (folder / "floor.sql").write_text(_script(queries))
    _write_data(folder / "data", scale)
    return len(queries)


def _sources() -> str:
    lines = [f'source("{table}", path="data/{table}.parquet")\n' for table in TABLES]
    return "".join(["from assetflow import source\n\n", *lines])


def _script(queries: dict[str, str]) -> str:
    """Return the queries by hand: a view for each table, a `COPY` for each query."""
    views = [
        f"create view {table} as select * from read_parquet('data/{table}.parquet');\n\n"
        for table in TABLES
    ]
    copies = [
        f"copy (\n{query}) to 'out/{name}.parquet' (format parquet);\n\n"
        for name, query in queries.items()
    ]
    return "".join(views + copies)


def _write_data(folder: Path, scale: float) -> None:
    """Generate the eight tables into `folder`, unless they are there."""
    if all((folder / f"{table}.parquet").exists() for table in TABLES):
        return
    beside = folder.with_name("data.partial")
    shutil.rmtree(beside, ignore_errors=True)
    command = [_generator(folder.parent.parent / "tools"), "parquet", "--quiet"]
    subprocess.run([*command, "-s", str(scale), "--output-dir", str(beside)], check=True)
    beside.rename(folder)


def _generator(tools: Path) -> str:
    """Return the path of the generator, installed into an environment of its own if need be."""
    places = (tools / "bin", Path(sys.executable).parent)
    found = shutil.which("tpchgen-cli", path=":".join(map(str, places)))
    if found:
        return found
    venv.create(tools, with_pip=True)
    subprocess.run([tools / "bin" / "python", "-m", "pip", "install", "-q", GENERATOR], check=True)
    return str(tools / "bin" / "tpchgen-cli")
