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
