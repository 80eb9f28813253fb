"""How a command line that is wrong is answered, and how answers leave."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from assetflow.cli.env_command import _moment
from assetflow.cli.main import asks_for_document, run
from assetflow.errors import BadMoment

HOW_TO_QUERY = 'Write `assetflow sql "select * from orders"` or `assetflow sql --asset orders`.'
WRONG = {
    "unknown command": (["materialise"], "No command is named 'materialise'.",
                        "Did you mean 'materialize'?"),
    "nothing near": (["xyzzy"], "No command is named 'xyzzy'.",
                     "List the commands with `assetflow --help`."),
    "unknown in a group": (["env", "promot"], "No command is named 'promot'.",
                           "Did you mean 'promote'?"),
    "unknown option": (["plan", "--dif"], "`assetflow plan` has no option '--dif'.",
                       "Did you mean '--diff'?"),
    "missing argument": (["show"], "`assetflow show` needs NAME.", "See `assetflow show --help`."),
    "too many arguments": (["doctor", "a", "b"], "`assetflow doctor` has no use for 'a', 'b'.",
                           "See what it takes with `assetflow doctor --help`."),
    "no number": (["materialize", "--threads", "abc"],
                  "'--threads' cannot have the value 'abc'.", "Write it like `--threads 4`."),
    "no thread": (["materialize", "--threads", "0"],
                  "'--threads' cannot have the value '0'.", "Write it like `--threads 4`."),
    "negative": (["sql", "from a", "--limit", "-1"],
                 "'--limit' cannot have the value '-1'.", "Write it like `--limit 4`."),
    "no such form": (["lineage", "--format", "mermade"],
                     "'--format' cannot have the value 'mermade'.", "Did you mean 'mermaid'?"),
    "no state": (["plan", "--fail-on", "rain"],
                 "'--fail-on' cannot have the value 'rain'.", "Write it like `--fail-on stale`."),
    "no span": (["gc", "--retention", "soon"],
                "'--retention' cannot have the value 'soon'.", "Write it like `--retention 7d`."),
    "value of an option that has none": (["plan", "--all=yes"], "'--all' takes no value.",
                                         "See `assetflow plan --help`."),
    "neither query nor asset": (["sql"], "There is no query to run.",
                                HOW_TO_QUERY),
    "query and asset": (["sql", "select 1", "--asset", "a"],
                        "A query and an asset cannot both be shown.",
                        HOW_TO_QUERY),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "headline", "hint"), WRONG.values(), ids=WRONG)
def test_a_wrong_command_line_is_said_on_stderr(arguments, headline, hint, capsys):
    code = run(arguments)

    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    first, *facts, last = printed.err.splitlines()
    assert (first, last) == (headline, hint)
    assert all(fact.startswith("  ") for fact in facts)


@pytest.mark.parametrize(("arguments", "headline", "hint"), WRONG.values(), ids=WRONG)
def test_a_wrong_command_line_is_a_document_where_one_was_asked_for(
    arguments, headline, hint, capfd
):
    code = run([*arguments, "--json"])

    document = json.loads(capfd.readouterr().out)
    assert code == 2
    assert document["error"].keys() == {"code", "headline", "facts", "hint"}
    assert (document["error"]["headline"], document["error"]["hint"]) == (headline, hint)


@pytest.mark.parametrize("option", ["--limit", "--project", "--env"])
def test_an_option_without_its_value_is_explained(option, capsys):
    code = run(["runs", option])

    headline, fact, hint = capsys.readouterr().err.splitlines()
    assert code == 2
    assert headline == f"'{option}' needs a value."
    assert fact.startswith(f"  {option} ")
    assert hint == "See `assetflow runs --help`."


@pytest.mark.parametrize(
    "arguments",
    [["plan", "--threads", "2"], ["materialize", "--threads", "0"], ["runs", "--limit", "x"],
     ["lineage", "--format", "svg"], ["status", "--fail-on", "rain"], ["gc", "--retention", "soon"],
     ["env", "rollback", "main", "--to", "yesterday"]],
    ids=" ".join,
)  # fmt: skip
def test_a_value_that_cannot_be_is_a_usage_error(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert run(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["ls", "--json"], True),
        (["--json", "ls"], True),
        (["sql", "--", "--json"], False),
        (["ls", "--json", "--help"], False),
        (["ls"], False),
    ],
)
def test_a_document_is_asked_for_by_the_option_alone(arguments, expected):
    assert asks_for_document(arguments) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("42", 42),
        ("2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        ("2026-01-05T13:00", datetime(2026, 1, 5, 13, tzinfo=UTC)),
        ("2026-01-05T13:00+02:00", datetime(2026, 1, 5, 11, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_number_or_an_instant_in_utc(text, expected):
    assert _moment(text) == expected


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "-1", "٣"])
def test_a_moment_that_is_neither_is_refused(text):
    with pytest.raises(BadMoment):
        _moment(text)


def python(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, **options
    )


def test_what_user_code_prints_never_mixes_with_the_document():
    done = python(
        "import os, sys\n"
        "from assetflow.cli.streams import only_a_document\n"
        "with only_a_document() as write:\n"
        "    print('printed')\n"
        "    os.system('echo by a child')\n"
        "    write('{}\\n')\n"
        "print('after')"
    )

    assert done.stdout == "{}\nafter\n"
    assert sorted(done.stderr.split("\n")) == ["", "by a child", "printed"]


@pytest.mark.parametrize("document", [True, False])
def test_a_reader_that_left_is_no_failure(document):
    start = "with only_a_document() as write: write('x' * 10**6)" if document else (
        "from assetflow.cli.terminal import print_page, terminal\n"
        "print_page('x' * 10**6)\n"
        "terminal().print('x' * 10**6)\n"
        "print_page('more')"
    )  # fmt: skip
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "-c", f"from assetflow.cli.streams import only_a_document\n{start}"],
        stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["--help"], ["plan", "--help"], ["--version"], []])
def test_help_that_nobody_reads_is_no_failure(arguments):
    start = "import sys; from assetflow.cli.main import main; sys.argv[1:] = sys.argv[1:]; main()"
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "-c", start, *arguments],
        stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_page_in_a_pipe_is_plain_lines(capsys, monkeypatch):
    from assetflow.cli.terminal import print_page
    from assetflow.report.plan_report import plan_report
    from tests.report.samples import PLAN

    monkeypatch.delenv("COLUMNS", raising=False)

    print_page(plan_report(PLAN, verbose=True))

    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert all(line == line.rstrip() for line in printed.splitlines())
    assert "staging_customer_orders_with_everything" in printed


def test_an_encoding_without_ticks_does_not_stop_anything():
    done = python(
        "from assetflow.cli.streams import prepare_streams, write_text\n"
        "prepare_streams(); write_text('✓ orders\\n')",
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )

    assert (done.returncode, done.stdout) == (0, "? orders\n")
