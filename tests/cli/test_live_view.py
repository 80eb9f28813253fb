"""What a person sees of a run while it happens."""

import io
import sys

import pytest
from rich.console import Console

from assetflow.cli.live_view import LiveView, following
from assetflow.cli.terminal import terminal
from assetflow.model.names import AssetName, AssetPartition, PartitionKey, RunId
from assetflow.planning.reasons import CodeChanged
from assetflow.planning.results import StepResult
from assetflow.planning.steps import Plan
from tests.report.samples import step


def plan_of(count):
    return Plan(
        "main", tuple(step(f"a{n}", "materialize", CodeChanged(())) for n in range(count)), 0
    )


def followed(count, *, terminal=False, outcome=lambda place: "materialized"):
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=terminal, color_system=None)
    with following(console) as listener:
        listener.planned(plan_of(count), RunId("r1"))
        for place in range(count):
            target = AssetPartition(AssetName(f"a{place}"))
            listener.started(target)
            listener.finished(StepResult(target, outcome(place), (CodeChanged(()),), rows=1))
        listener.message("the end")
    return out.getvalue()


def test_a_short_run_has_a_line_for_each_step_in_a_pipe():
    assert followed(2).splitlines() == [
        "Run r1: 2 to materialize.",
        "✓ a0  materialized  1 row  code changed",
        "✓ a1  materialized  1 row  code changed",
        "the end",
    ]


def test_a_long_run_has_a_line_for_each_tenth_and_each_failure_in_a_pipe():
    lines = followed(200, outcome=lambda n: "failed" if n == 7 else "materialized").splitlines()

    assert len(lines) == 1 + 10 + 1 + 1
    assert lines[1] == "✗ a7  failed  1 row  code changed"
    assert lines[2] == " 10 %  20 of 200 steps, 1 failed"


@pytest.mark.parametrize("is_terminal", [False, True])
def test_of_many_failures_of_one_asset_the_first_have_a_line(is_terminal):
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=is_terminal, color_system=None)
    days = [AssetPartition(AssetName("days"), PartitionKey(f"d{n}")) for n in range(100)]
    with following(console) as listener:
        listener.planned(plan_of(101), RunId("r1"))
        for target in (*days, AssetPartition(AssetName("a0"))):
            listener.started(target)
            listener.finished(StepResult(target, "failed", (CodeChanged(()),)))

    assert out.getvalue().count("✗ days[") == 10
    assert out.getvalue().count("Further failures of 'days' are counted; the end has them.") == 1
    assert out.getvalue().count("✗ a0") == 1


@pytest.mark.parametrize(("count", "shown"), [(50, 50), (51, 0)])
def test_a_terminal_keeps_the_steps_of_short_runs_alone(count, shown):
    assert followed(count, terminal=True).count("✓") == shown


def test_a_message_stays_on_a_terminal_until_the_next_step_starts():
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    view = LiveView(console)
    first, second = (AssetPartition(AssetName(name)) for name in ("a0", "a1"))
    view.planned(plan_of(3), RunId("r1"))
    view.started(first)

    view.message("Stopping")
    view.finished(StepResult(first, "materialized", (CodeChanged(()),), rows=1))

    assert "Stopping" in shown(console, view)
    view.started(second)
    assert "Stopping" not in shown(console, view)


def shown(console, view):
    with console.capture() as captured:
        console.print(view.frame())
    return captured.get()


def test_a_run_with_nothing_to_do_prints_nothing():
    assert followed(0).splitlines() == ["the end"]


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_the_view_keeps_its_screen_while_a_run_captures_what_steps_print(monkeypatch):
    screen, kept = Screen(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")

    with following(terminal()) as listener:
        monkeypatch.setattr(sys, "stdout", kept)
        listener.planned(plan_of(1), RunId("r1"))
        listener.finished(StepResult(AssetPartition(AssetName("a0")), "failed", ()))

    assert kept.getvalue() == ""
    assert "1 to materialize" in screen.getvalue()
    assert "a0" in screen.getvalue()


@pytest.mark.parametrize("is_terminal", [False, True])
def test_of_a_further_plan_its_reason_and_what_is_new_have_lines(is_terminal):
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=is_terminal, color_system=None)
    first, second = (AssetPartition(AssetName(name)) for name in ("a0", "a1"))
    with following(console) as listener:
        listener.planned(plan_of(2), RunId("r1"))
        for target, outcome in ((first, "materialized"), (second, "rejected")):
            listener.finished(StepResult(target, outcome, (CodeChanged(()),)))
        listener.planned_again(plan_of(2), "Trying to repair it.")
        listener.started(first)
        listener.repeated(first)
        listener.finished(StepResult(second, "materialized", (CodeChanged(()),)))
        if is_terminal:
            console.print(listener.frame())

    assert out.getvalue().count("✓ a0") == 1
    assert out.getvalue().count("✓ a1") == 1
    assert out.getvalue().count("Trying to repair it.") == 1
    assert ("2 of 2 steps" in out.getvalue()) == is_terminal
