"""The house: imports point down, and heavy libraries stay out of the way of `--help`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "assetflow"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)
FLOORS = [
    {"errors"},
    {"model"},
    {"sql", "graph", "interop"},
    {"quality"},
    {"planning"},
    {"project", "metadata", "warehouse", "report"},
    {"execution"},
    {"api", "testing"},
    {"automation"},
    {"cli"},
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
HEAVY = ("duckdb", "numpy", "pandas", "polars", "pyarrow", "pydantic", "sqlglot")


def imported_parts(path: Path):
    """Yield the part of assetflow, such as "graph", that each import in `path` reaches."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ImportFrom(module="assetflow", names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(name)) if name.startswith("assetflow."):
                yield name.split(".")[1]
            case ast.Import(names=names):
                paths = [alias.name.split(".") for alias in names]
                yield from (parts[1] for parts in paths if parts[0] == "assetflow" and parts[1:])


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


ABOVE_NOTHING = [path for path in PACKAGE.glob("*.py") if part_of(path) in FLOOR_OF]


@pytest.mark.parametrize(
    "path", [*MODULES, *ABOVE_NOTHING], ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_point_down(path):
    part = part_of(path)
    for other in imported_parts(path):
        if other.startswith("__"):
            continue
        assert other == part or FLOOR_OF[other] < FLOOR_OF[part], f"{part} must not import {other}"


def test_every_part_stands_on_a_floor():
    parts = {part_of(path) for path in PACKAGE.rglob("*.py")}

    assert parts - FLOOR_OF.keys() == {"__init__", "__main__"}


def test_no_two_modules_share_a_name():
    names = [path.stem for path in PACKAGE.rglob("*.py") if not path.stem.startswith("__")]
    commands = {path.stem for path in (PACKAGE / "cli").glob("*.py")}

    shared = {name for name in names if names.count(name) > 1}
    assert shared <= commands, "only a command may be named like what it shows"


def test_packages_are_empty():
    filled = [path for path in PACKAGE.glob("*/__init__.py") if path.read_text()]

    assert filled == []


def test_help_imports_nothing_heavy():
    code = (
        "import sys, contextlib, io\n"
        "from assetflow.cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    sys.argv = ['assetflow', '--help']; main()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout == "[]\n"
