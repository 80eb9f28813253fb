"""All that a user can type, set or read has its place in docs/."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, get_args

import pytest
from typer.main import get_command

import assetflow
from assetflow import testing
from assetflow.cli.main import app
from assetflow.model.options import FunctionOptions, HeaderOptions, SourceOptions
from assetflow.planning.reasons import WEIGHT
from assetflow.planning.results import FreshnessStatus, Health, RunStatus, Sync
from assetflow.planning.steps import Action, Outcome
from assetflow.project.settings import Environment, Settings
from tests.docs.documents import DOCS, PAGES, code_in

ALL_CODE = "\n".join(code_in(page.read_text("utf-8")) for page in PAGES)


def _code_of(*names: str) -> str:
    return "\n".join(code_in((DOCS / name).read_text("utf-8")) for name in names)


def _missing(names: Iterable[str], code: str) -> list[str]:
    """Return those of `names` that are no whole word of `code`."""
    return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", code)]


def _commands() -> Iterator[tuple[str, Any]]:
    """Yield each command and group as it is typed."""
    waiting: list[tuple[str, Any]] = [("assetflow", get_command(app))]
    while waiting:
        path, command = waiting.pop()
        yield path, command
        names = command.list_commands(None) if hasattr(command, "list_commands") else ()
        waiting += [(f"{path} {name}", command.get_command(None, name)) for name in names]


COMMANDS = dict(_commands())


def test_there_are_commands_to_look_for():
    assert {"assetflow plan", "assetflow env create"} <= COMMANDS.keys()


def test_every_command_is_on_the_page_of_the_command_line():
    assert not _missing(COMMANDS, _code_of("cli.md"))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_is_on_the_page_of_the_command_line(path):
    options = [name for param in COMMANDS[path].params for name in param.opts if name[:1] == "-"]

    assert not _missing(options, _code_of("cli.md"))


def test_every_setting_is_on_the_page_of_the_configuration():
    names = [*Settings.model_fields, *Environment.model_fields]

    assert not _missing(names, _code_of("configuration.md"))


def test_every_key_of_a_header_is_on_the_page_of_sql_assets():
    assert not _missing(HeaderOptions.model_fields, _code_of("sql-assets.md"))


def test_every_key_of_the_decorator_is_on_the_pages_of_assets():
    code = _code_of("sql-assets.md", "python-assets.md")

    assert not _missing(FunctionOptions.model_fields, code)


def test_every_argument_of_a_source_is_on_the_page_of_sources():
    names = ["path", "observe", *SourceOptions.model_fields]

    assert not _missing(names, _code_of("sources.md"))


def test_every_public_name_is_on_some_page():
    assert assetflow.__all__
    assert not _missing(assetflow.__all__, ALL_CODE)


def test_every_public_name_of_the_test_tools_is_on_their_page():
    own = {name for name, thing in vars(testing).items() if _is_of(thing, testing.__name__)}
    names = {name for name in own if not name.startswith("_")}

    assert names
    assert not _missing(names, _code_of("testing-assets.md"))


def _is_of(thing: object, module: str) -> bool:
    return getattr(thing, "__module__", None) == module


def test_every_reason_and_action_is_on_the_page_that_explains_decisions():
    names = [*(reason.code for reason in WEIGHT), *get_args(Action)]

    assert not _missing(names, _code_of("how-it-decides.md"))


def test_every_outcome_and_status_of_a_run_is_on_the_page_that_explains_runs():
    assert not _missing([*get_args(Outcome), *get_args(RunStatus)], _code_of("how-it-runs.md"))


def test_every_status_of_an_asset_is_on_the_page_of_concepts():
    names = [*get_args(Sync), *get_args(FreshnessStatus), *get_args(Health)]

    assert not _missing(names, _code_of("concepts.md"))


def test_every_table_of_the_metadata_is_on_its_page():
    from assetflow.metadata.migrations import MIGRATIONS, MIGRATIONS_TABLE

    statements = [MIGRATIONS_TABLE, *(sql for step in MIGRATIONS for sql in step.statements)]
    text = "; ".join(statements)
    passing = set(re.findall(r"alter table (\w+) rename", text))
    tables = [name for name in re.findall(r"create table (\w+)", text) if name not in passing]

    assert not _missing(tables, _code_of("metadata.md"))
