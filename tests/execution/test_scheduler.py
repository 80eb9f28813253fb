"""The order in which tasks are carried out."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.execution.scheduler import Schedule


def carried_out(waits_on, threads=1, stop_after=None):
    """Return what was worked on and what was left, in the order in which each ended."""
    worked, left = [], []
    tasks = list(waits_on)
    Schedule(
        tasks=tasks,
        waits_on=waits_on,
        work=lambda task: ("worked", task),
        leave=lambda task: ("left", task),
        on_start=lambda task: None,
        on_done=lambda task, result: (worked if result[0] == "worked" else left).append(task),
        should_stop=lambda: stop_after is not None and len(worked) >= stop_after,
    ).run(threads)
    return worked, left


def test_what_a_task_waits_on_comes_first():
    assert carried_out({"c": ["b"], "b": ["a"], "a": []})[0] == ["a", "b", "c"]


def test_tasks_that_are_ready_begin_in_their_order():
    assert carried_out({"a": [], "b": [], "c": []})[0] == ["a", "b", "c"]


def test_a_stop_leaves_what_has_not_begun():
    worked, left = carried_out({"a": [], "b": ["a"], "c": ["b"]}, stop_after=1)

    assert (worked, left) == (["a"], ["b", "c"])


def test_after_a_stop_nothing_is_said_to_start():
    started, stopped = [], threading.Event()
    Schedule(
        tasks=["a", "b", "c"],
        waits_on={},
        work=lambda task: stopped.set(),
        leave=lambda task: None,
        on_start=started.append,
        on_done=lambda task, result: None,
        should_stop=stopped.is_set,
    ).run(1)

    assert started in ([], ["a"])


def test_an_error_in_the_work_is_raised():
    def broken(task):
        raise OSError(task)

    with pytest.raises(OSError, match="a"):
        Schedule(["a"], {}, broken, broken, print, print, lambda: False).run(2)


def test_independent_tasks_run_at_the_same_time():
    both = threading.Barrier(2, timeout=10)
    done = []
    Schedule(
        tasks=["a", "b"],
        waits_on={},
        work=lambda task: both.wait(),
        leave=print,
        on_start=lambda task: None,
        on_done=lambda task, result: done.append(task),
        should_stop=lambda: False,
    ).run(2)

    assert sorted(done) == ["a", "b"]


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_every_task_ends_once_and_after_those_it_waits_on(data):
    names = list(range(data.draw(st.integers(1, 12))))
    waits = {
        name: data.draw(st.lists(st.sampled_from(names[:name]), unique=True)) if name else []
        for name in names
    }

    ended, _ = carried_out(waits, threads=3)

    assert sorted(ended) == names
    assert all(ended.index(other) < ended.index(name) for name in names for other in waits[name])
