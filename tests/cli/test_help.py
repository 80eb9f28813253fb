"""What --help says, at 80 columns, and what it costs."""

import subprocess
import sys

import pytest

from assetflow.cli.main import COMMANDS, run
from tests.golden import assert_golden

PATHS = [
    (),
    *((name,) for name in COMMANDS),
    ("run", "show"),
    ("run", "cancel"),
    *(("partitions", name) for name in ("list", "add", "remove")),
    *(("env", name) for name in ("list", "create", "promote", "history", "rollback", "delete")),
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: "_".join(path) or "assetflow")
def test_help_reads_as_it_did(path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    code = run([*path, "--help"])

    printed = capsys.readouterr().out
    assert code == 0
    assert all(len(line) <= 80 for line in printed.splitlines())
    assert_golden(f"help/{'_'.join(path) or 'assetflow'}", printed)


@pytest.mark.parametrize("path", PATHS[1:], ids="_".join)
def test_help_has_an_example_for_each_command(path, capsys):
    run([*path, "--help"])

    printed = capsys.readouterr().out
    assert "Examples:\n  assetflow " in printed


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_in_the_list_is_that_of_the_command(name):
    from importlib import import_module

    from assetflow.cli.help_text import summary

    command = import_module(f"assetflow.cli.{name}_command").command

    assert COMMANDS[name] == summary(command.help)


def test_no_arguments_are_a_request_for_help(capsys):
    assert run([]) == 0

    assert capsys.readouterr().out.startswith("Usage: assetflow [OPTIONS] COMMAND")


def test_help_loads_no_heavy_library():
    heavy = {"duckdb", "pyarrow", "sqlglot", "pydantic", "pandas", "polars", "rich"}
    code = (
        "import sys; sys.argv = ['assetflow', '--help']\n"
        "from assetflow.cli.main import run; run(['--help'])\n"
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


def test_the_version_is_printed(capsys):
    from assetflow import __version__

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"assetflow {__version__}\n"


def test_the_package_can_be_run_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "assetflow", "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("assetflow ")
