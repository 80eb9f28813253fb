"""Errors on a terminal: no word is broken, and a fact goes on below itself."""

import io

import pytest

from assetflow.cli import main
from assetflow.cli.error_text import printed, wrapped
from assetflow.errors import AssetflowError

KINDS = "The kinds are " + ", ".join(f"kind_{number}" for number in range(20)) + "."
ERROR = AssetflowError(
    "'checks' of asset 'daily_revenue' cannot have this value, and this is a long sentence.",
    {
        "given": "3",
        "expected": '{ max_lag = "6h" }, { deadline = "0 7 * * *", within = "1d" }, or none',
        "defined in": "shop/" + "a_very_long_name_" * 6 + ".sql:2",
    },
    KINDS,
)


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    return Screen()


def test_words_are_whole_and_facts_hang_below_their_values(screen):
    lines = printed(ERROR, screen).split("\n")

    assert lines[0] == (
        "'checks' of asset 'daily_revenue' cannot have this value, and this is a long"
    )
    assert lines[3].startswith("  expected    { max_lag")
    assert lines[4].startswith(" " * 14)
    assert not lines[4].startswith(" " * 15)
    assert " ".join(" ".join(lines).split()) == " ".join(str(ERROR).split())
    assert all(len(line) <= 80 for line in lines if "a_very_long_name" not in line)


def test_what_is_no_terminal_gets_each_line_whole(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    assert printed(ERROR, io.StringIO()) == str(ERROR)


@pytest.mark.parametrize("width", [1, 5, 14, 30, 79])
def test_nothing_is_lost_however_narrow_it_is(width):
    assert " ".join(" ".join(wrapped(str(ERROR), width)).split()) == " ".join(str(ERROR).split())


def test_short_lines_and_rows_of_facts_stay_as_they_are():
    text = "A circle.\n  orders     reads customers     a.sql:1\n\n  b          reads c"

    assert "\n".join(wrapped(text, 60)) == text


def test_a_command_prints_errors_so(screen, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stderr", screen)

    assert main.run(["plan", "--project", str(tmp_path / ("folder " * 12).strip())]) == 2
    said = screen.getvalue()
    assert "folder" in said
    assert "\n".join(wrapped(said, 80)) == said
