"""The comparison of outputs forgives what varies, and nothing else."""

import pytest

from tests.docs.documents import blocks, patched
from tests.docs.terminal import is_same

STEP = "✓ orders  materialized  1,458 rows  0.05s  never materialized\n"

SAME = {
    "a duration": (STEP, STEP.replace("0.05s", "1m 02s")),
    "no duration at all": (STEP, STEP.replace("  0.05s", "")),
    "the id of a run": (
        "Run 18ea51bf727ebc88079e73e6: 1 to verify.",
        "Run 18ea526b67dc2a5c0d6d256d: 1 to verify.",
    ),
    "an instant": ("made 2026-11-22 08:52:43 UTC", "made 2027-01-02 11:12:13 UTC"),
    "an instant in JSON": ('"at": "2026-11-22T08:52:48.475019Z"', '"at": "2027-01-02T11:12:13.1Z"'),
    "a size": ("orders  2.2 KB  18ea51d4e0cf4b9b", "orders  941 B  18ea51d4e0cf4b9c"),
    "how far columns stand apart": ("run   status", "run                status"),
    "an estimate, or none": (
        "1 to materialize.\nAbout 12s of work, by what it took before.\n",
        "1 to materialize.\n",
    ),
    "seconds in JSON": ('    "seconds": 0.6079168629994456', '    "seconds": 1.7e-05'),
}
DIFFERENT = {
    "a count of rows": (STEP, STEP.replace("1,458", "1,459")),
    "a name": (STEP, STEP.replace("orders", "order")),
    "an outcome": (STEP, STEP.replace("  materialized", "  reused")),
    "a reason": (STEP, STEP.replace("never materialized", "forced")),
    "a line more": (STEP, STEP + STEP),
    "how deep a line is": ("├── a\n│   └── b\n", "├── a\n└── b\n"),
    "an indentation": ("  at  x.sql:1\n", "at  x.sql:1\n"),
    "a date in the data": ("2013-02-08  930", "2013-02-09  930"),
    "a date of this year in the data": ("2026-01-05  20", "2026-01-06  20"),
    "a number in the data": ("small  28.8", "small  28.7"),
    "a count in JSON": ('    "rows": 2', '    "rows": 3'),
}


@pytest.mark.parametrize("case", SAME)
def test_what_varies_is_forgiven(case):
    assert is_same("assetflow plan", *SAME[case])


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_is_really_different_is_seen(case):
    assert not is_same("assetflow plan", *DIFFERENT[case])
    assert not is_same("assetflow materialize", *DIFFERENT[case])


REPORT = """\
asset   status   lag                            held back by
old     overdue  ████████│██+ 4,709d of 1d      itself
due     overdue  ████████│██+ 3d of 1d 18h      old
new     fresh    ········│    12s of 6h         old

2 overdue, 1 fresh, as of 2026-11-22 16:03 UTC.
"""
LATER = REPORT.replace("11-22 16:03", "12-02 04:03")
OF_LATER = {
    "as much older": (LATER.replace("4,709d", "4,719d"), True),
    "wrapped otherwise": (LATER.replace("4,709d", "4,719d").replace("  old\n", "\nold\n"), True),
    "a slow machine": (REPORT.replace("12s", "2m 5s"), True),
    "another time of the day": (REPORT.replace("1d 18h", "1d"), True),
    "always as old": (LATER, True),
    "data of another time": (LATER.replace("4,709d", "4,729d"), False),
    "made long ago": (REPORT.replace("12s", "5h"), False),
    "another bound": (REPORT.replace("of 6h", "of 5h"), False),
    "another bound of a day": (REPORT.replace("of 1d ", "of 2d "), False),
    "no age": (REPORT.replace("12s of 6h", "never ages"), False),
    "another state": (REPORT.replace("fresh  ", "due_soon"), False),
    "another bar": (REPORT.replace("········│", "█·······│"), False),
}


@pytest.mark.parametrize(("found", "is_like"), OF_LATER.values(), ids=OF_LATER)
def test_ages_are_those_of_the_same_data_at_another_moment(found, is_like):
    assert is_same("assetflow freshness", REPORT, found) == is_like


def test_what_a_policy_allows_does_not_vary():
    assert is_same("assetflow plan", "revenue is 3h old", "revenue is 2d 5h old")
    assert not is_same("assetflow plan", "(at most 2d old)", "(at most 3d old)")
    assert not is_same("assetflow show", "overdue 4d of 2d", "overdue 4d of 1d")


def test_only_of_a_run_the_order_of_lines_is_free():
    one, other = STEP + "b\n", "b\n" + STEP

    assert is_same("assetflow materialize", one, other)
    assert not is_same("assetflow plan", one, other)


def test_a_command_goes_on_in_the_next_line():
    (block,) = blocks('```console\n$ sql "select 1\n> from a"\n1\n> 2\n$ next\n```\n')

    assert [command.text for command in block.commands] == ['sql "select 1\nfrom a"', "next"]
    assert block.commands[0].output == "1\n> 2\n"


def test_a_diff_must_fit_at_one_place():
    diff = "--- a\n+++ a\n@@\n one\n-two\n+three\n"

    assert patched("one\ntwo\n", diff) == "one\nthree\n"
    with pytest.raises(AssertionError, match="2 places"):
        patched("one\ntwo\none\ntwo\n", diff)
