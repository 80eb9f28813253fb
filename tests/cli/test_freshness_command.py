"""`assetflow freshness` as a user runs it, and what it shows while it watches."""

import io
import json

import pytest
from rich.text import Text

from assetflow.cli import watching
from assetflow.cli.main import run
from assetflow.cli.terminal import Terminal
from assetflow.cli.watching import NAPS, watch
from assetflow.errors import StateUnusable
from tests.small_project import SmallProject

POLICY = '/* assetflow\nfreshness = { max_lag = "LAG" }\n*/\nselect 1 as id from raw\n'


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    made = SmallProject(
        tmp_path,
        {
            "data/raw.csv": "id\n1\n",
            "shop/sources.py": 'from assetflow import source\nsource("raw", path="data/raw.csv")\n',
            "shop/old.sql": POLICY.replace("LAG", "0.001s"),
            "shop/new.sql": POLICY.replace("LAG", "900d"),
        },
    )
    made.materialize()
    return made


def said(capfd, *arguments, code=0):
    assert run(["freshness", *arguments]) == code
    return capfd.readouterr()


def test_the_exit_code_says_whether_something_selected_is_too_old(project, capfd):
    said(capfd)
    said(capfd, "--fail-on", "overdue", code=1)
    said(capfd, "--fail-on", "due_soon", code=1)
    said(capfd, "new", "--fail-on", "overdue")


@pytest.mark.parametrize("command", ["plan", "materialize"])
@pytest.mark.parametrize(
    ("name", "why"), [("new", "no policy needs a run"), ("old", "a run would help no policy")]
)
def test_where_no_policy_needs_a_run_that_is_said(project, command, name, why, capfd):
    assert run([command, name, "--overdue"]) == 0

    assert capfd.readouterr().out.splitlines()[-1] == f"Nothing to do: {why}."


def test_the_document_has_a_line_for_each_asset_the_most_urgent_first(project, capfd):
    lines = json.loads(said(capfd, "--json").out)

    assert [(line["asset"], line["status"]) for line in lines] == [
        ("old", "overdue"),
        ("new", "fresh"),
    ]
    assert lines[0]["bottleneck"]["path"] == ["raw", "old"]
    assert lines[0]["policy"] == "at most 0.001s old"


def test_the_page_and_the_history_are_shown(project, capfd):
    assert "1 overdue, 1 fresh" in said(capfd).out
    assert "how old its data was" in said(capfd, "--history", "old").out
    assert json.loads(said(capfd, "--history", "old", "--json").out)["asset"] == "old"


def test_a_moment_before_everything_knows_nothing(project, capfd):
    lines = json.loads(said(capfd, "--at", "2001-01-01", "--json").out)

    assert {line["status"] for line in lines} == {"unknown"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--at", "yesterday"], "an instant (UTC)"),
        (["--fail-on", "stale"], "overdue or due_soon"),
        (["--watch", "--json"], "rule out each other"),
        (["--watch", "--history", "old"], "rule out each other"),
        (["--watch", "--at", "2026-01-05"], "rule out each other"),
        (["old", "--history", "old"], "rule out each other"),
        (["--history", "old", "--fail-on", "overdue"], "rule out each other"),
        (["--history", "odl"], "Did you mean 'old'?"),
        (["--at", "0001-01-01"], "between 1970 and 2999"),
        (["--at", "9999-12-31T23:59-05:00"], "an instant (UTC)"),
    ],
)
def test_what_cannot_be_asked_is_said(project, capfd, arguments, error):
    found = said(capfd, *arguments, code=2)

    assert error in found.out + found.err


def watched(answers, *, is_terminal, resized=0, page=Text):
    """Watch until `answers` are at their end, and return what was printed, and the last."""
    out = io.StringIO()
    console = Terminal(file=out, width=60, height=20, force_terminal=is_terminal, color_system=None)
    left = list(answers)
    naps = []

    def look():
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def nap():
        naps.append(None)
        if not left and len(naps) % NAPS == 0:
            raise KeyboardInterrupt
        if resized and len(naps) == 1:
            console.width = resized

    return out, watch(console, look, page, nap)


def test_in_a_pipe_each_page_follows_the_one_before():
    out, last = watched(["one", "two"], is_terminal=False)

    assert out.getvalue().split() == ["one", "two"]
    assert last == "two"


def test_on_a_terminal_a_page_is_written_over_the_one_before_on_a_screen_of_its_own():
    out, last = watched(["one", "two"], is_terminal=True)

    assert out.getvalue().startswith("\x1b[?1049h")
    assert "\x1b[2J" not in out.getvalue()
    assert "Ctrl-C ends it" in out.getvalue()
    assert last == "two"


def test_a_terminal_of_another_size_is_drawn_anew():
    out, _ = watched(["one"], is_terminal=True)
    other, _ = watched(["one"], is_terminal=True, resized=40)

    assert (out.getvalue().count("one"), other.getvalue().count("one")) == (1, 2)


def test_a_page_is_told_how_much_room_it_has():
    class Page:
        def __rich_console__(self, console, options):
            yield f"room for {options.height}"

    out, _ = watched([None], is_terminal=True, page=lambda _: Page())

    assert "room for 18" in out.getvalue()


def test_a_failure_stays_above_the_page_until_a_look_succeeds(tmp_path):
    error = StateUnusable(tmp_path, "read", "it is held")
    out, _ = watched(["one", error, error, "two"], is_terminal=True)

    pages = out.getvalue().split("Ctrl-C ends it")[1:]
    assert ["held" in page for page in pages] == [False, True, True, False]
    assert pages[1].index("held") < pages[1].index("one")


def test_a_reader_who_leaves_ends_it():
    console = Terminal(file=io.StringIO(), force_terminal=False)
    console.is_read = False

    assert watch(console, lambda: "one", Text, pytest.fail) == "one"


def test_each_look_reads_the_project_anew(project, capfd, monkeypatch):
    seen = []

    def follow(_, look, __):
        seen.append(look())
        project.write({"shop/newer.sql": POLICY.replace("LAG", "1d")})
        return look()

    monkeypatch.setattr(watching, "watch", follow)

    assert "newer" in said(capfd, "--watch").out
    assert [line.asset for line in seen[0].lines] == ["old", "new"]


def test_a_look_that_fails_is_told_and_the_next_one_shown(tmp_path):
    error = StateUnusable(tmp_path, "read", "it is held")
    out, last = watched(["one", error, "three"], is_terminal=True)

    assert "it is held" in out.getvalue()
    assert "three" in out.getvalue()
    assert last == "three"
