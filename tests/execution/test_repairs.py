"""What a run does to mend what it had to reject, and what stays a dead letter."""

import json

import pytest

from assetflow import api
from assetflow.errors import AssetflowError
from assetflow.model.names import AssetPartition
from assetflow.planning.listener import Silent
from assetflow.planning.results import StepResult
from assetflow.planning.steps import Plan
from tests.small_project import SmallProject

FEED = """
import json
from pathlib import Path

import pyarrow as pa

from assetflow import asset

ROOT = Path(__file__).parent.parent


@asset(volatile=True)
def feed() -> pa.Table:
    answers = json.loads((ROOT / "answers.json").read_text())
    (ROOT / "answers.json").write_text(json.dumps(answers[1:] or answers))
    return pa.table({"id": [1, 2], "amount": answers[0]})


@asset(volatile=True)
def other() -> pa.Table:
    with (ROOT / "calls.txt").open("a") as file:
        file.write("other\\n")
    return pa.table({"id": [1, 2], "name": ["a", "b"]})
"""
CLEAN = """
/* assetflow
checks = [ { not_null = "amount", on_failure = "repair", name = "amounts" } ]
*/
select id, amount, name from feed join other using (id)
"""
TOTALS = "select sum(amount)::bigint as total from clean"
SETTINGS = """
package = "shop"

[repair]
max_attempts = 2
cool_down = "%s"
"""
GOOD, BAD, WORSE = [3, 5], [3, None], [None, None]


def fed(root, *answers, cool_down="0s", **files) -> SmallProject:
    told = {
        "shop/feeds.py": FEED,
        "shop/clean.sql": CLEAN,
        "shop/totals.sql": TOTALS,
        "answers.json": json.dumps(answers),
    }
    return SmallProject(root, {**told, **files}, SETTINGS % cool_down)


def outcomes(result) -> dict[str, str]:
    return {step.target.asset: step.outcome for step in result.steps}


def changes(result) -> list[tuple[str, int, int]]:
    return [
        (one.check, one.before.failures, one.after.failures)
        for step in result.steps
        for one in step.mended
    ]


class Followed(Silent):
    """Keeps what is told of a run, one text for each thing."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def planned_again(self, plan: Plan, why: str = "") -> None:
        self.lines.append(why or f"{len(plan.steps)} steps more")

    def finished(self, result: StepResult) -> None:
        self.lines.append(f"{result.target} {result.outcome}")

    def repeated(self, target: AssetPartition) -> None:
        self.lines.append(f"({target})")


def test_what_a_run_tells_of_a_repair_it_tells_once(tmp_path):
    project = fed(tmp_path, BAD, GOOD)
    followed = Followed()

    project.materialize(listener=followed)

    first, again, rest = followed.lines[:4], followed.lines[4:7], followed.lines[7:]
    assert sorted(first[:2]) == ["feed materialized", "other materialized"]
    assert first[2:] == ["clean rejected", "totals skipped"]
    assert again[0] == "Trying to repair amounts of 'clean'."
    assert "feed materialized" in followed.lines[5:]
    assert followed.lines.count("clean materialized") == 1
    assert followed.lines.count("totals materialized") == 1
    assert {"(other)", "(feed)", "(clean)"} <= {*again, *rest}
    assert not [line for line in followed.lines if line.endswith("reused")]


def test_what_a_repair_left_failed_is_told_after_each_try(tmp_path):
    project = fed(tmp_path, BAD, WORSE, BAD, GOOD)
    followed = Followed()

    result = project.materialize(listener=followed)

    tries = [place for place, line in enumerate(followed.lines) if line.startswith("Trying")]
    ends = [place for place, line in enumerate(followed.lines)
            if line in ("clean rejected", "clean skipped")]  # fmt: skip
    assert len(tries) == 2
    assert [sum(place < end for place in tries) for end in ends] == [0, 1, 2]
    assert result.notes == (
        ("clean", "the repairs of amounts are used up: see `assetflow repair --list`"),
    )


def test_a_repair_within_a_run_mends_what_was_rejected_and_what_follows_is_made(tmp_path):
    project = fed(tmp_path, BAD, GOOD)

    result = project.materialize()

    assert result.status == "succeeded"
    assert outcomes(result) == {
        "feed": "materialized",
        "other": "materialized",
        "clean": "materialized",
        "totals": "materialized",
    }
    assert changes(result) == [("amounts", 1, 0)]
    assert project.rows("totals") == [{"total": 8}]
    assert (tmp_path / "calls.txt").read_text() == "other\n"
    assert project.materialize().steps == ()


def test_a_repair_of_what_was_published_before_publishes_what_it_made(tmp_path):
    project = fed(tmp_path, GOOD, BAD, [3, 9])
    project.materialize()

    result = project.materialize("feed", downstream=True, refresh=True)

    assert result.status == "succeeded"
    assert changes(result) == [("amounts", 1, 0)]
    assert project.rows("feed")[1] == {"id": 2, "amount": 9}
    assert project.rows("totals") == [{"total": 12}]
    assert project.materialize().steps == ()


def test_a_repair_in_vain_publishes_what_passed(tmp_path):
    project = fed(tmp_path, GOOD, BAD, WORSE, WORSE)
    project.materialize()

    project.materialize("feed", downstream=True, refresh=True)

    assert [row["amount"] for row in project.rows("feed")] == [None, None]
    assert project.rows("totals") == [{"total": 8}]
    assert project.actions()["clean"] == "blocked"


def test_a_repair_that_does_not_help_is_tried_as_often_as_it_may_be(tmp_path):
    project = fed(tmp_path, BAD, WORSE, BAD, GOOD)

    result = project.materialize()

    assert result.status == "failed"
    assert outcomes(result)["clean"] == "rejected"
    assert changes(result) == [("amounts", 1, 2)]
    (letter,) = api.dead_letters(project.load())
    assert (letter.asset, letter.check, letter.attempts) == ("clean", "amounts", 2)
    assert project.materialize().status == "failed"
    assert json.loads((tmp_path / "answers.json").read_text()) == [GOOD]


def test_a_repair_cools_down_before_it_is_tried_again(tmp_path):
    project = fed(tmp_path, BAD, WORSE, GOOD, cool_down="1h")

    result = project.materialize()

    assert outcomes(result)["clean"] == "rejected"
    assert api.dead_letters(project.load()) == ()
    (line,) = api.repair_plan(project.load()).lines
    assert (line.state, line.attempts) == ("repairable", 1)


def test_by_hand_a_repair_is_planned_and_made(tmp_path):
    project = fed(tmp_path, BAD, BAD, BAD, GOOD)
    project.materialize()

    with pytest.raises(AssetflowError, match="No repair is left"):
        api.repair(project.load())
    api.retry_dead_letters(project.load(), ["clean"], note="the feed was mended")
    before = (tmp_path / "calls.txt").read_text()
    page = api.repair_plan(project.load())
    result = api.repair(project.load())

    assert [[one.asset for one in line.chosen] for line in page.lines] == [["feed"]]
    assert str(page.lines[0].chosen[0].path[-1]) == "feed.amount"
    assert result.status == "succeeded"
    assert changes(result) == [("amounts", 1, 0)]
    assert project.rows("clean")[0] == {"id": 1, "amount": 3, "name": "a"}
    assert (tmp_path / "calls.txt").read_text() == before
    assert api.repair_plan(project.load()).lines == ()


def test_a_check_that_changed_is_not_known_to_fail_until_it_was_asked(tmp_path):
    project = fed(tmp_path, BAD, GOOD, **{"shop/clean.sql": CLEAN.replace("repair", "block")})
    project.materialize()
    project.write({"shop/clean.sql": CLEAN})

    before = api.repair_plan(project.load())
    api.check(project.load())
    after = api.repair_plan(project.load())

    assert (before.lines, before.unasked) == ((), ("clean",))
    assert [(line.asset, line.state) for line in after.lines] == [("clean", "repairable")]


def test_a_dead_letter_that_was_resolved_is_not_tried_and_keeps_its_note(tmp_path):
    project = fed(tmp_path, BAD, BAD, BAD, GOOD)
    project.materialize()

    api.resolve_dead_letters(project.load(), ["clean"], note="known since Monday")

    (letter,) = api.dead_letters(project.load())
    assert letter.note == "known since Monday"
    assert letter.resolved_at is not None
    assert api.repair_plan(project.load()).lines == ()
    with pytest.raises(AssetflowError, match="no open dead letter"):
        api.retry_dead_letters(project.load(), ["totals"], note="")


def test_where_nothing_upstream_can_differ_nothing_runs(tmp_path):
    project = fed(
        tmp_path,
        GOOD,
        **{
            "shop/sources.py": "from assetflow import source\nsource('raw', path='raw.csv')\n",
            "raw.csv": "id,amount\n1,\n2,5\n",
            "shop/clean.sql": CLEAN.replace("feed join other using (id)", "raw").replace(
                ", name from", " from"
            ),
        },
    )

    result = project.materialize()

    assert outcomes(result)["clean"] == "rejected"
    (line,) = api.repair_plan(project.load()).lines
    assert line.state == "nothing_differs"
    assert [str(one.reason) for one in line.left_out] == [
        "is still as it was read: mend it where it comes from"
    ]
    with pytest.raises(AssetflowError, match="can give other data"):
        api.repair(project.load())


def test_of_what_went_back_to_its_published_state_nothing_is_to_repair(tmp_path):
    source = "from assetflow import source\nsource('raw', path='raw.csv')\n"
    clean = CLEAN.replace("feed join other using (id)", "raw").replace(", name from", " from")
    files = {"shop/sources.py": source, "shop/clean.sql": clean, "raw.csv": "id,amount\n1,3\n"}
    project = fed(tmp_path, GOOD, **files)
    project.materialize("clean")
    project.write({"raw.csv": "id,amount\n1,\n"})
    assert outcomes(project.materialize("clean")) == {"clean": "rejected"}
    (line,) = api.repair_plan(project.load()).lines

    project.write({"raw.csv": "id,amount\n1,3\n"})

    assert line.state == "nothing_differs"
    assert api.repair_plan(project.load()).lines == ()
    assert api.dead_letters(project.load()) == ()


def test_what_was_rejected_before_what_is_served_is_repaired_when_it_comes_again(tmp_path):
    project = fed(tmp_path, BAD, GOOD, BAD, [3, 9])
    assert changes(project.materialize()) == [("amounts", 1, 0)]

    result = project.materialize("feed", downstream=True, refresh=True)

    assert result.status == "succeeded"
    assert project.rows("totals") == [{"total": 12}]
    assert project.materialize().steps == ()


def test_what_was_rejected_before_what_is_served_can_be_repaired_by_hand(tmp_path):
    project = fed(tmp_path, BAD, GOOD, BAD)
    project.materialize()
    project.materialize("feed", "clean", refresh=True, only=True)
    assert project.rows("totals") == [{"total": 8}]

    (line,) = api.repair_plan(project.load()).lines

    assert (line.outcome.check, line.attempts) == ("amounts", 0)
    assert [one.asset for one in line.chosen] == ["feed"]


def test_what_was_rejected_before_what_is_served_is_told_when_it_comes_again(tmp_path):
    project = fed(tmp_path, BAD, GOOD, BAD)
    project.materialize()
    assert not api.check(project.load(), ["clean"]).has_failed

    project.materialize("feed", "clean", refresh=True, only=True)
    page = api.check(project.load(), ["clean"])
    shown = api.show(project.load(), "clean")
    status = next(one for one in api.status(project.load()) if one.asset == "clean")

    assert page.has_failed
    assert [(one.outcome.status, one.is_published) for one in page.lines] == [
        ("passed", True),
        ("failed", False),
    ]
    assert [one.version for one in shown.checks] == [one.version for one in page.lines]
    assert status.rejected == ("",)


@pytest.mark.parametrize("scope", ["partition", "whole"])
def test_a_rejection_that_comes_again_is_told_of_each_scope(tmp_path, scope):
    clean = """
        /* assetflow
        partitions.static = ["a", "b"]
        checks = [ { between = "id", min = 0, name = "counts_up", scope = "%s" } ]
        */
        select id, key from raw where key = $partition_key
        """
    project = SmallProject(
        tmp_path,
        {
            "shop/sources.py": "from assetflow import source\nsource('raw', path='raw.csv')\n",
            "shop/clean.sql": clean % scope,
        },
    )
    told = []
    for second in (2, -2, 3, -2):
        project.write({"raw.csv": f"id,key\n1,a\n{second},b\n"})
        ended = project.materialize().status
        page = api.check(project.load(), ["clean"])
        shown = api.show(project.load(), "clean").checks
        (status,) = api.status(project.load(), ["clean"])
        assert [one.version for one in shown] == [one.version for one in page.lines]
        told.append((ended, page.has_failed, status.rejected))

    good, bad = ("succeeded", False, ()), ("failed", True, ("b",))
    assert told == [good, bad, good, bad]
    assert api.repair_plan(project.load()).environment == "main"


def test_a_repair_makes_no_partition_that_was_never_made(tmp_path):
    """What a check reads of others is only as much of them as there is."""
    days = 'partitions.static = ["a", "b"]\nkey_column = "day"\n'
    project = fed(
        tmp_path,
        [3, 4],
        GOOD,
        **{
            "shop/clean.sql": "select id, amount, name from feed join other using (id)",
            "shop/days.sql": f"/* assetflow\n{days}*/\nselect 5 as amount",
            "shop/checks/paid.sql": (
                '/* assetflow check\nasset = "clean"\non_failure = "repair"\n*/\n'
                "select * from days anti join clean using (amount)"
            ),
        },
    )
    project.materialize("days", partitions=["a"])

    result = project.materialize("clean", "days", partitions=["a"])

    assert result.status == "succeeded"
    assert changes(result) == [("paid", 1, 0)]
    assert [row["day"] for row in project.rows("days")] == ["a"]


def test_what_a_repair_changed_is_told_also_where_the_whole_is_checked(tmp_path):
    header = """
        /* assetflow
        partitions.static = ["a"]
        checks = [
            { not_null = "amount", on_failure = "repair", name = "amounts" },
            { row_count = { min = 1 }, scope = "whole" },
        ]
        */
        select id, amount from feed
        """
    totals = "select sum(amount)::bigint as total from clean"
    project = fed(tmp_path, BAD, GOOD, **{"shop/clean.sql": header, "shop/totals.sql": totals})

    result = project.materialize()

    assert result.status == "succeeded"
    assert changes(result) == [("amounts", 1, 0)]
