"""The simulated week in small: who decides what, when it is done, and what is overdue."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.planning.least_refresh import usual_durations
from assetflow.planning.simulated_steps import StepQueue
from assetflow.planning.simulation import (
    Simulation,
    World,
    refresh_all,
    refresh_eagerly,
    refresh_least,
    simulate,
)
from tests.planning.ageing import at, policy

START = at("05 00:00")
MINUTES = 60.0
TICK = timedelta(minutes=1)


def every(minutes, hours=24):
    return [START + timedelta(minutes=n) for n in range(0, hours * 60, minutes)]


def world(policies, arrivals, upstreams=None, **more):
    above = upstreams or {"clean": ("orders",), "mart": ("clean",)}
    seconds = more.pop("seconds", dict.fromkeys(above, 2 * MINUTES))
    volatile = frozenset(more.pop("volatile", ()))
    return World(
        upstreams=above,
        policies={name: policy(max_lag=lag) for name, lag in policies.items()},
        arrivals=arrivals,
        volatile=volatile,
        with_events=frozenset(more.pop("with_events", ())),
        seconds=seconds,
        durations={name: [taken] for name, taken in seconds.items()},
        start=START,
        end=more.pop("end", at("06 00:00")),
        **more,
    )


def least(here, **more):
    usual = usual_durations(here.upstreams, here.seconds)
    return simulate(here, refresh_least(usual, **more), TICK)


def test_everything_is_made_at_each_arrival_if_eagerly():
    here = world({"mart": "6h"}, {"orders": every(60)})

    week = simulate(here, refresh_eagerly, timedelta(days=1))

    assert (week.runs, week.steps) == (23, 46)
    assert week.compute_seconds == 46 * 2 * MINUTES
    assert week.overdue == 0


def test_as_little_is_made_as_the_policy_allows():
    here = world({"mart": "6h"}, {"orders": every(60)})

    week = least(here, within_seconds=60.0)

    assert week.overdue == 0
    assert (week.runs, week.steps) == (4, 8)


def test_who_does_not_look_a_tick_ahead_is_late():
    here = world({"mart": "6h"}, {"orders": every(60)})

    assert least(here, within_seconds=0.0).overdue == 4 * TICK.total_seconds()


def test_what_is_older_than_it_may_be_is_counted_to_the_second():
    here = world({"mart": "90m"}, {"orders": [START, at("05 10:00")]}, end=at("05 12:00"))

    eager = simulate(here, refresh_eagerly, timedelta(days=1))
    ours = least(here)

    until_made = 10 * 60 + 4 - 90
    after_that = 12 * 60 - (10 * 60 + 90)
    assert eager.overdue == (until_made + after_that) * MINUTES
    assert 0 <= ours.overdue - eager.overdue <= TICK.total_seconds()


def test_a_schedule_makes_only_what_is_made_of_other_data():
    here = world({"mart": "6h"}, {"orders": every(12 * 60)})

    week = simulate(here, refresh_all, timedelta(hours=1))

    assert week.steps == 2


def test_a_volatile_asset_that_gives_nothing_new_is_asked_seldom():
    loads = {"load": (), "mart": ("load",)}
    silent = world({"mart": "2h"}, {"load": [START]}, loads, volatile=["load"])
    events = world(
        {"mart": "2h"}, {"load": [START]}, loads, volatile=["load"], with_events=["load"]
    )

    assert least(silent).overdue == 0
    asked = least(events)
    assert asked.overdue == 22 * 3600
    assert asked.steps == 170


def test_a_volatile_asset_that_was_asked_is_not_asked_again_before_it_answers():
    loads = {"load": (), "mart": ("load",)}
    here = world({"mart": "2h"}, {"load": [START]}, loads, volatile=["load"], with_events=["load"])
    simulation = Simulation(here)
    simulation.request(["load"], START)

    assert simulation.ages(START + TICK).resting.keys() == {"load"}
    simulation.advance(START + 2 * TICK)

    assert simulation.ages(START + 2 * TICK).resting == {"load": START + 3 * TICK}


def test_who_counts_on_what_is_being_made_waits_for_it():
    here = world({"mart": "6h"}, {"orders": [START, START + TICK]})
    found = {}
    for counts in (False, True):
        simulation = Simulation(here)
        simulation.request(["clean"], START + TICK)
        simulation.request(["mart"], START + 2 * TICK, counts_on_open=counts)
        simulation.advance(START + 10 * TICK)
        found[counts] = simulation.published["mart"].at

    assert found == {False: START, True: START + TICK}


def test_a_step_takes_as_long_in_one_hour_whoever_decides():
    here = replace(world({}, {"orders": [START]}), durations={"mart": [1.0, 2.0, 3.0]})

    taken = [here.taken("mart", START + timedelta(minutes=n)) for n in (0, 59, 60, 179, 180)]

    assert taken == [1.0, 1.0, 2.0, 3.0, 1.0]


def test_what_comes_late_is_heard_in_time_though_it_was_asked_for_in_vain():
    loads = {"load": (), "mart": ("load",)}
    arrivals = [START, at("05 05:56")]
    here = world(
        {"mart": "6h"},
        {"load": arrivals},
        loads,
        volatile=["load"],
        with_events=["load"],
        seconds={"load": 10.0, "mart": MINUTES},
        end=at("05 08:00"),
    )

    week = least(here, within_seconds=3600.0)

    assert week.overdue == 0
    assert week.steps <= 14


def test_what_is_made_is_not_to_be_made_again_while_it_is_made():
    upstreams = {"one": ("fast",), "two": ("slow",), "mart": ("one", "two")}
    seconds = {"one": 10.0, "two": 10.0, "mart": 20 * MINUTES}
    arrivals = {"fast": every(5), "slow": [instant + 2 * TICK for instant in every(5)]}
    arrivals["slow"][0] = START
    here = world({"mart": "2h"}, arrivals, upstreams, seconds=seconds)

    week = least(here, within_seconds=60.0)

    assert week.overdue == 0
    assert week.compute_seconds < 24 * 20 * MINUTES


def test_few_workers_make_the_eager_late():
    upstreams = {f"mart_{n}": ("orders",) for n in range(4)}
    arrivals = {"orders": every(10, hours=8)}
    seconds = dict.fromkeys(upstreams, 8 * MINUTES)
    crowded = world(
        dict.fromkeys(upstreams, "1h"),
        arrivals,
        upstreams,
        seconds=seconds,
        workers=1,
        end=at("05 08:00"),
    )

    eager = simulate(crowded, refresh_eagerly, timedelta(days=1))
    ours = least(crowded)

    assert ours.overdue <= eager.overdue
    assert ours.steps < eager.steps


def test_shared_upstreams_are_made_once_for_all_that_are_due():
    upstreams = {"clean": ("orders",), "one": ("clean",), "other": ("clean",)}
    here = world({"one": "6h", "other": "6h"}, {"orders": every(30)}, upstreams)

    week = least(here)

    assert week.steps == 4 * 3


@st.composite
def kind_worlds(draw):
    """Worlds whose policies can be kept: roots and paths are well within their bounds."""
    roots = {f"s{n}": every(draw(st.sampled_from([10, 20, 30]))) for n in range(2)}
    upstreams = {}
    for n in range(draw(st.integers(1, 6))):
        known = [*roots, *upstreams]
        reads = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
        upstreams[f"a{n}"] = tuple(sorted(reads))
    seconds = {name: float(draw(st.integers(1, 120))) for name in upstreams}
    policies = {name: f"{draw(st.integers(2, 8))}h" for name in upstreams if draw(st.booleans())}
    return world(policies, roots, upstreams, seconds=seconds)


@settings(max_examples=6, deadline=None)
@given(kind_worlds())
def test_the_least_is_never_late_where_that_can_be_and_no_dearer_than_eager(here):
    ours = least(here)
    eager = simulate(here, refresh_eagerly, timedelta(days=1))

    assert ours.overdue == 0
    assert ours.steps <= eager.steps
    assert ours.compute_seconds <= eager.compute_seconds


PLACES = {name: place for place, name in enumerate("abc")}


def begun(queue):
    """Take the next step as one that has read its inputs."""
    step = queue.take()
    step.data = object()
    return step


def test_a_step_waits_for_those_above_it():
    queue = StepQueue(PLACES)
    first = queue.add("a", [])
    queue.add("b", [first])

    step = begun(queue)

    assert (step.asset, queue.take()) == ("a", None)
    assert queue.finish(step)
    assert queue.take().asset == "b"


def test_a_step_that_has_not_begun_is_enough_for_several():
    queue = StepQueue(PLACES)

    assert queue.add("a", []) == queue.add("a", [])


def test_what_is_asked_for_while_a_step_runs_is_made_after_it():
    queue = StepQueue(PLACES)
    queue.add("a", [])
    running = begun(queue)
    again = queue.add("a", [])

    assert again == queue.add("a", []) != running.number
    assert not queue.finish(running)
    assert queue.take().number == again


def test_a_step_is_not_put_off_however_often_its_asset_is_asked_for():
    queue = StepQueue(PLACES)
    first = queue.add("b", [queue.add("a", [])])
    for _ in range(5):
        running = begun(queue)
        assert running.asset == "a"
        queue.add("b", [queue.add("a", [])])
        queue.finish(running)
        if (ready := [queue.take(), queue.take()])[1] is not None:
            break

    assert [step.number for step in ready if step.asset == "b"] == [first]
