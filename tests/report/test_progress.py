"""How far a run has come, as a terminal and as a log show it."""

from itertools import pairwise

import pytest

from assetflow.model.names import AssetName, AssetPartition
from assetflow.planning.results import StepResult
from assetflow.report.progress import Progress, log_lines, progress_view
from assetflow.report.sparklines import sparkline
from assetflow.report.words import duration, shortened, size
from tests.golden import rendered
from tests.report.sample_partitions import PLAN


def target(name):
    return AssetPartition(AssetName(name))


def ended(name, outcome="materialized"):
    return StepResult(target(name), outcome, ())


def steps(total, ended_count):
    progress = Progress(total=total)
    yield progress
    for place in range(ended_count):
        progress = progress.with_finished(ended(f"a{place}"))
        yield progress


def test_the_view_shows_a_bar_and_what_runs():
    progress = Progress(total=4, began_at=100.0)
    progress = progress.with_finished(ended("orders"))
    progress = progress.with_started(target("revenue"), 101.0)

    view = rendered(progress_view(progress, 103.5), 80)

    assert view.splitlines() == [
        "━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 1 of 4 steps  3.5s",
        "   revenue  2.5s",
    ]


def test_the_view_stays_small_however_much_runs():
    progress = Progress(total=3000)
    for place in range(200):
        progress = progress.with_started(target(f"asset_{place}"), 0.0)

    lines = rendered(progress_view(progress, 1.0), 80).splitlines()

    assert len(lines) == 10
    assert lines[-1].strip() == "… and 192 more"


def test_an_asset_with_partitions_is_one_line_that_counts_them():
    progress = Progress.of(PLAN, 0.0)
    for step in PLAN.steps[:6]:
        progress = progress.with_started(step.target, 1.0)
    for step in PLAN.steps[:2]:
        progress = progress.with_finished(StepResult(step.target, "materialized", ()))

    lines = rendered(progress_view(progress, 3.5), 80).splitlines()

    assert lines == [
        "━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 2 of 30 steps  3.5s",
        "   flights  2 of 7  2.5s",
    ]


def test_failures_are_counted_in_the_view():
    progress = Progress(total=3).with_finished(ended("a", "failed")).with_finished(ended("b"))

    assert "2 of 3 steps, 1 failed" in rendered(progress_view(progress, 1.0), 80)


def test_a_wait_is_shown_until_something_starts():
    waiting = Progress(total=2).with_message("waiting for run r7, which makes 'orders'")

    assert "waiting for run r7" in rendered(progress_view(waiting, 1.0), 80)
    assert "waiting" not in rendered(progress_view(waiting.with_started(target("a"), 1.0), 1.0), 80)


def test_a_step_that_ends_without_having_started_counts():
    progress = Progress(total=1).with_finished(ended("a", "skipped"))

    assert (progress.done, progress.percent) == (1, 100)


@pytest.mark.parametrize(("total", "count"), [(50, 0), (51, 10), (3000, 10), (99, 10)], ids=str)
def test_a_log_has_a_line_for_each_tenth_of_a_long_run(total, count):
    lines = [line for pair in pairwise(steps(total, total)) for line in log_lines(*pair)]

    assert len(lines) == count
    assert all(line.endswith(f"of {total:,} steps") for line in lines)
    assert not lines or lines[-1].startswith("100 %")


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([], ""), ([1], ""), ([1, 1, 1], "▄▄▄"), ([0, 10], "▁█"), ([3, 2, 1], "█▅▁")],
)
def test_a_sparkline_goes_from_the_lowest_to_the_highest(numbers, expected):
    assert sparkline(numbers) == expected


@pytest.mark.parametrize("width", range(1, 30))
def test_a_shortened_name_fits_and_keeps_both_ends(width):
    text = shortened("staging_orders_daily", width)

    assert len(text) <= width
    assert width < 3 or (text[0] == "s" and text[-1] == "y")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0, "0.00s"), (0.999, "1.00s"), (9.94, "9.9s"), (59.4, "59s"), (59.6, "1m 00s"),
     (3599.7, "1h 00m"), (90000, "25h 00m")],
)  # fmt: skip
def test_a_duration_reads_well_at_its_edges(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (999, "999 B"),
        (1000, "1.0 KB"),
        (999_949, "999.9 KB"),
        (999_950, "1.0 MB"),
        (3 * 10**15, "3,000.0 TB"),
    ],
)
def test_a_size_reads_well_at_its_edges(count, text):
    assert size(count) == text
