"""What the shell completes, without loading a project."""

import os
import subprocess
import sys

import pytest

from assetflow.cli.completion import complete_names, remember_names

NAMES = ("orders", "order_lines", "staging.stores")


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / ".assetflow").mkdir()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    remember_names(tmp_path / ".assetflow", NAMES)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ord", ["orders", "order_lines"]),
        ("", list(NAMES)),
        ("+ord", ["+orders", "+order_lines"]),
        ("2+orders", ["2+orders"]),
        ("tag:daily,ord", ["tag:daily,orders", "tag:daily,order_lines"]),
        ("xyz", []),
    ],
)
def test_names_are_completed_from_any_folder_of_the_project(project, typed, expected):
    assert complete_names(typed) == expected


def test_without_a_project_nothing_is_completed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSETFLOW_PROJECT", raising=False)

    assert complete_names("ord") == []


def test_names_are_found_through_the_variable(project, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("ASSETFLOW_PROJECT", str(project))

    assert complete_names("stag") == ["staging.stores"]


def test_names_are_kept_only_where_there_is_a_state_folder(tmp_path):
    remember_names(tmp_path / ".assetflow", NAMES)

    assert list(tmp_path.iterdir()) == []


def test_names_that_are_known_are_not_written_again(project):
    path = project / ".assetflow" / "cache" / "names.txt"
    before = path.stat().st_mtime_ns

    remember_names(project / ".assetflow", NAMES)
    assert path.stat().st_mtime_ns == before

    remember_names(project / ".assetflow", ("a",))
    assert path.read_text() == "a\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [("assetflow show or", {"orders", "order_lines"}), ("assetflow mat", {"materialize"})],
)
def test_the_shell_is_answered(project, words, expected):
    environ = {
        **os.environ,
        "_ASSETFLOW_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }

    done = subprocess.run(
        [sys.executable, "-c", "from assetflow.cli.main import main; main()"],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert set(done.stdout.split()) == expected
