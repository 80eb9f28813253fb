"""The least that brings overdue data back: enough, and no step too many."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.planning.attainable import Ages, attainable, bottleneck, bottlenecks
from assetflow.planning.back_off import (
    due_to_begin,
    longest_rest,
    rest_after,
    rests_until,
    ways_down,
)
from assetflow.planning.data_time import DataTime
from assetflow.planning.least_refresh import (
    cannot_be_met,
    least_refresh,
    usual_durations,
)
from assetflow.planning.overdue import becomes_overdue, needed_data_time
from tests.planning.ageing import at, policy

NOW = at("05 12:00")
MINUTE = timedelta(minutes=1)
SHOP = {
    "rates": (),
    "clean": ("orders",),
    "revenue": ("clean", "rates"),
    "forecast": ("revenue",),
    "stock": ("clean",),
}
VOLATILE = frozenset({"rates"})


def data(name, when, via=None):
    return DataTime(name, None if when is None else at(when), via=via)


def ages(published, seen, upstreams=SHOP, **more):
    above = {name: data(name, when) for name, when in seen.items()}
    below = dict[str, DataTime]()
    for name in upstreams:
        if name in published:
            limits = [{**above, **below}.get(one) for one in upstreams[name]]
            limits = [one for one in limits if one and one.at is not None]
            via = min(limits, key=lambda one: one.at, default=None)
            below[name] = data(name, published[name], via)
    return Ages(upstreams, below, above, more.pop("volatile", VOLATILE), **more)


ALL_OLD = {"rates": "05 06:00", "clean": "05 06:00", "revenue": "05 06:00"} | {
    "forecast": "05 06:00",
    "stock": "05 06:00",
}
LAG = policy(max_lag="3h")
BEHIND = "'revenue' was not made again since 'rates' has newer data: running will help"


def names(found):
    return [refresh.asset for refresh in found.refreshes]


def reasons(found):
    return {one.asset: [reason.asset for reason in one.reasons] for one in found.refreshes}


def test_nothing_is_made_again_while_nothing_is_overdue():
    here = ages(ALL_OLD, {"orders": "05 11:00"})

    found = least_refresh(here, {"revenue": policy(max_lag="6h")}, NOW, {})

    assert found.refreshes == ()
    assert found.held_back == {}


def test_only_what_is_too_old_on_the_way_is_made_again():
    here = ages(ALL_OLD | {"clean": "05 11:00"}, {"orders": "05 11:30"})

    found = least_refresh(here, {"revenue": LAG}, NOW, {})

    assert names(found) == ["rates", "revenue"]


def test_shared_upstreams_are_made_once_and_name_all_who_need_them():
    here = ages(ALL_OLD, {"orders": "05 11:00"})

    found = least_refresh(here, {"stock": LAG, "forecast": LAG}, NOW, {})

    assert names(found) == ["rates", "clean", "revenue", "forecast", "stock"]
    assert reasons(found)["clean"] == ["forecast", "stock"]
    assert reasons(found)["stock"] == ["stock"]
    assert str(found.refreshes[0].reasons[0]) == "'forecast' is overdue (at most 3h old)"


def test_the_strictest_policy_decides_how_recent_an_upstream_has_to_be():
    here = ages(ALL_OLD | {"clean": "05 10:00"}, {"orders": "05 11:45"})
    policies = {"stock": policy(max_lag="3h"), "revenue": policy(max_lag="1h")}

    assert names(least_refresh(here, {"stock": LAG}, NOW, {})) == ["stock"]
    assert names(least_refresh(here, policies, NOW, {})) == ["rates", "clean", "revenue", "stock"]


@pytest.mark.parametrize("marts", [("strict", "mild"), ("mild", "strict")])
def test_the_strictest_policy_decides_all_the_way_up(marts):
    upstreams = {"one": ("orders",), "two": ("one",)} | dict.fromkeys(marts, ("two",))
    old = {"one": "05 06:00", "two": "05 04:00", "strict": "05 04:00", "mild": "05 04:00"}
    here = ages(old, {"orders": "05 11:30"}, upstreams)
    policies = {"strict": policy(max_lag="1h"), "mild": policy(max_lag="7h")}

    assert names(least_refresh(here, {"mild": policies["mild"]}, NOW, {})) == ["two", "mild"]
    assert names(least_refresh(here, policies, NOW, {})) == ["one", "two", *marts]


def test_a_silent_source_is_not_run_for_in_vain():
    here = ages(ALL_OLD, {"orders": "05 06:00"}, owners={"orders": ("team:ingest",)})

    found = least_refresh(here, {"stock": LAG}, NOW, {})

    assert found.refreshes == ()
    assert found.held_back["stock"].path == ("orders", "clean", "stock")
    assert not found.held_back["stock"].run_helps
    assert found.held_back["stock"].text == (
        "'orders' has no newer file: running will not help; its owner is team:ingest"
    )


def test_newer_data_that_is_still_too_old_is_fetched_once():
    policies = {"stock": LAG}
    before = ages(ALL_OLD, {"orders": "05 08:00"})
    after = ages(ALL_OLD | dict.fromkeys(("clean", "stock"), "05 08:00"), {"orders": "05 08:00"})

    found = least_refresh(before, policies, NOW, {})

    assert names(found) == ["clean", "stock"]
    assert found.held_back.keys() == {"stock"}
    assert names(least_refresh(after, policies, NOW, {})) == []


def test_newer_data_that_no_deadline_is_met_with_is_not_fetched():
    morning = policy(deadline="0 10 * * *", within="1h")
    here = ages(ALL_OLD, {"orders": "05 08:00"})

    assert names(least_refresh(here, {"stock": morning}, NOW, {})) == []


def test_what_was_never_made_is_made_with_all_that_it_needs():
    here = ages({"rates": "05 11:00"}, {"orders": "01 00:00"})

    found = least_refresh(here, {"revenue": LAG}, NOW, {})

    assert names(found) == ["clean", "revenue"]


@pytest.mark.parametrize(
    ("seen", "steps"),
    [("05 11:30", ["clean", "stock"]), (None, [])],
    ids=["the source tells", "nothing tells"],
)
def test_of_what_nobody_can_tell_a_run_is_made_if_it_can_be_told_then(seen, steps):
    untold = {name: DataTime(name, None, is_known=False) for name in ("clean", "stock")}
    orders = DataTime("orders", at(seen) if seen else None, is_known=seen is not None)
    here = Ages(SHOP, untold, {"orders": orders}, VOLATILE)

    found = least_refresh(here, {"stock": LAG}, NOW, {})

    assert names(found) == steps
    assert list(found.held_back) == ([] if seen else ["stock"])


def test_what_never_ages_is_never_made_again():
    here = ages({"constant": None, "mart": None}, {}, {"constant": (), "mart": ("constant",)})

    assert least_refresh(here, {"mart": LAG}, NOW, {}).refreshes == ()


def test_a_run_is_begun_in_time_to_be_done_when_data_is_due():
    usual = usual_durations(SHOP, dict.fromkeys(SHOP, 600.0))
    here = ages(ALL_OLD, {"orders": "05 11:30"})
    late = policy(max_lag="6h31m")

    assert usual["forecast"] == 1800.0
    assert names(least_refresh(here, {"forecast": late}, NOW, usual, 0.0)) == []
    assert names(least_refresh(here, {"forecast": late}, NOW, usual, 60.0)) == []
    found = least_refresh(here, {"forecast": late}, NOW, usual, 61.0)
    assert names(found) == ["rates", "clean", "revenue", "forecast"]
    assert str(found.refreshes[-1].reasons[0]) == (
        "'forecast' is due at 2026-01-05 12:31 UTC (at most 6h31m old)"
    )


@pytest.mark.parametrize(
    ("clean", "steps"), [("05 07:19", ["clean", "stock"]), ("05 07:20", ["stock"])]
)
def test_what_is_made_lasts_until_it_can_be_made_again(clean, steps):
    usual = usual_durations(SHOP, {"clean": 600.0, "stock": 1800.0})
    here = ages(ALL_OLD | {"clean": clean}, {"orders": "05 11:30"})
    policies = {"stock": policy(max_lag="6h")}

    assert names(least_refresh(here, policies, NOW, usual, 600.0)) == steps


def test_without_a_look_ahead_only_what_is_overdue_is_made_again():
    usual = dict.fromkeys(SHOP, 3600.0)
    here = ages(ALL_OLD, {"orders": "05 11:30"})

    assert names(least_refresh(here, {"stock": policy(max_lag="6h")}, NOW, usual)) == []


def test_data_is_still_recent_enough_when_the_run_is_done():
    here = ages(ALL_OLD | {"clean": "05 09:15"}, {"orders": "05 11:30"})
    usual = usual_durations(SHOP, {"stock": 1200.0})

    assert names(least_refresh(here, {"stock": LAG}, NOW, usual)) == ["clean", "stock"]
    assert names(least_refresh(here, {"stock": LAG}, NOW, {})) == ["stock"]


def test_what_gave_nothing_new_is_not_asked_while_it_rests():
    here = ages(
        ALL_OLD | {"clean": "05 11:00"},
        {"orders": "05 11:00"},
        resting={"rates": at("05 12:04")},
    )

    found = least_refresh(here, {"revenue": LAG}, NOW, {})

    assert names(found) == []
    assert found.held_back["revenue"].text == (
        "'rates' gave nothing new: it is asked again at 2026-01-05 12:04 UTC"
    )
    assert names(least_refresh(here, {"revenue": LAG}, at("05 12:04"), {})) == [
        "rates",
        "revenue",
    ]


def test_sources_have_policies_but_no_steps():
    here = ages(ALL_OLD, {"orders": "01 00:00"})

    assert least_refresh(here, {"orders": LAG}, NOW, {}).refreshes == ()


def test_bottlenecks_name_the_root_and_if_a_run_helps():
    here = ages(
        ALL_OLD | {"rates": "05 05:00", "revenue": "05 05:00", "forecast": "05 05:00"},
        {"orders": "05 06:00"},
        answering=frozenset({"orders"}),
    )

    found = bottlenecks(here, NOW)

    assert found["forecast"].path == ("rates", "revenue", "forecast")
    assert found["forecast"].run_helps
    assert found["forecast"].text == "'rates' can be run again"
    assert found["stock"].text == "'orders' has no newer answer: running will not help"
    newer = bottlenecks(replace(here, seen={"orders": data("orders", "05 11:00")}), NOW)
    assert newer["stock"].text == "'orders' has newer data: running will help"


@pytest.mark.parametrize(
    ("need", "root", "text", "blamed"),
    [
        (None, "11:00", BEHIND, ("revenue", "forecast")),
        ("05 09:00", "11:00", BEHIND, ("revenue", "forecast")),
        ("05 11:30", "11:00", "'rates' can be run again", ("rates", "revenue", "forecast")),
        ("05 09:00", "05:00", "'rates' can be run again", ("rates", "revenue", "forecast")),
    ],
)
def test_a_root_that_was_run_since_and_is_recent_enough_is_not_to_blame(need, root, text, blamed):
    upstreams = {"rates": (), "revenue": ("rates",), "forecast": ("revenue",)}
    old = data("revenue", "05 05:00", data("rates", "05 05:00"))
    published = {"rates": data("rates", f"05 {root}"), "revenue": old}
    here = Ages(upstreams, published, {}, VOLATILE)
    best = attainable(here, NOW)["forecast"]

    found = bottleneck(here, data("forecast", "05 05:00", old), best, NOW, need and at(need))

    assert (found.text, found.blamed, found.run_helps) == (text, blamed, True)
    assert found.path == ("rates", "revenue", "forecast")


def test_what_was_made_again_in_between_is_not_to_blame():
    upstreams = {"rates": (), "revenue": ("rates",), "forecast": ("revenue",)}
    old = data("forecast", "05 05:00", data("revenue", "05 05:00", data("rates", "05 05:00")))
    here = replace(
        ages({"rates": "05 11:00", "revenue": "05 11:00"}, {}, upstreams),
        resting={"rates": at("05 12:30")},
    )

    found = bottleneck(here, old, attainable(here, NOW)["forecast"], NOW)

    assert found.blamed == ("forecast",)
    assert found.text.startswith("'forecast' was not made again since 'rates' has newer data")


def test_a_bottleneck_is_what_still_holds_back_after_a_run():
    here = Ages(
        {"mart": ("one", "other")},
        {"mart": data("mart", "05 06:00", data("one", "05 06:00"))},
        {"one": data("one", "05 11:00"), "other": data("other", "05 06:00")},
    )

    found = bottlenecks(here, NOW)["mart"]

    assert (found.path, found.run_helps) == (("other", "mart"), False)


def test_policies_below_the_usual_duration_cannot_be_met():
    usual = {"stock": 7200.0, "revenue": 7200.0, "forecast": 7200.0}
    policies = {
        "stock": policy(max_lag="1h"),
        "revenue": policy(max_lag="2h"),
        "forecast": policy(max_lag="1d", deadline="0 7 * * *", within="30m"),
        "clean": policy(max_lag="1s"),
    }

    found = list(cannot_be_met(policies, usual))

    assert found == [("stock", 3600.0, 7200.0), ("forecast", 1800.0, 7200.0)]


def test_each_ask_in_vain_is_followed_by_a_longer_rest():
    rests = [rest_after(fruitless, NOW) for fruitless in (0, 1, 2, 3, 7, 1000)]

    minutes = [None if one is None else (one - NOW).total_seconds() / 60 for one in rests]
    assert minutes == [None, 1, 2, 4, 60, 60]


def test_a_root_rests_no_longer_than_a_share_of_the_tightest_bound():
    mild, strict = policy(max_lag="10h"), policy(max_lag="1d", deadline="0 7 * * *", within="2h")

    assert [longest_rest(one) for one in (mild, strict)] == [30 * MINUTE, 6 * MINUTE]
    assert rest_after(9, NOW, ways={mild: 0.0, strict: 0.0}) == at("05 12:06")
    assert rest_after(9, NOW, ways={policy(max_lag="5d"): 0.0}) == at("05 13:00")
    assert rest_after(9, NOW, ways={policy(max_lag="5m"): 0.0}) == at("05 12:01")


def test_the_way_to_each_policy_is_the_longest():
    strict, mild = policy(max_lag="3h"), policy(max_lag="6h")
    policies = {"forecast": mild, "revenue": strict, "stock": mild}

    ways = ways_down(
        SHOP, policies, dict(zip(SHOP, (1.0, 20.0, 300.0, 4000.0, 50000.0), strict=True))
    )

    assert ways == {
        "forecast": {mild: 4000.0},
        "revenue": {strict: 300.0, mild: 4300.0},
        "stock": {mild: 50000.0},
        "rates": {strict: 301.0, mild: 4301.0},
        "clean": {strict: 320.0, mild: 50020.0},
        "orders": {strict: 320.0, mild: 50020.0},
    }


IN_VAIN = (
    ("an hour before a run has to begin", "05 11:00", 9, "05 11:30"),
    ("and not yet often in vain", "05 11:00", 3, "05 11:04"),
    ("ten minutes before", "05 11:50", 9, "05 11:55"),
    ("a minute before", "05 11:59", 9, "05 12:00"),
    ("when it has to begin", "05 12:00", 9, "05 12:01"),
    ("ten minutes after", "05 12:10", 9, "05 12:15"),
    ("long after", "06 12:00", 20, "06 12:36"),
)


@pytest.mark.parametrize(
    ("asked_at", "fruitless", "until"),
    [case[1:] for case in IN_VAIN],
    ids=[case[0] for case in IN_VAIN],
)
def test_a_root_rests_no_longer_than_half_of_what_is_left(asked_at, fruitless, until):
    half_day = policy(max_lag="12h")
    newest = at("05 00:30")

    assert due_to_begin(newest, half_day, 1800.0) == NOW
    assert rest_after(fruitless, at(asked_at), newest, {half_day: 1800.0}) == at(until)


def test_a_root_is_asked_as_often_as_the_policy_needs_for_which_it_is_most_urgent():
    dead, lively = policy(max_lag="1h"), policy(max_lag="12h20m")
    newest = at("05 00:00")

    assert rest_after(9, NOW, newest, {lively: 0.0}) == at("05 12:10")
    assert rest_after(2, NOW, newest, {dead: 0.0, lively: 900.0}) == at("05 12:02")
    assert rest_after(5, NOW, newest, {dead: 0.0, lively: 900.0}) == at("05 12:02:30")
    assert rest_after(5, NOW, None, {lively: 0.0}) == at("05 12:16")


def test_a_deadline_that_is_near_shortens_the_rest():
    noon = policy(deadline="0 13 * * *", within="11h")

    asks = [(at("05 11:00"), at("05 01:30")), *((at(f"05 11:{n}"), None) for n in range(10, 50))]

    assert rests_until(asks, {noon: 0.0}) == at("05 12:22")
    assert rests_until(asks, {noon: 3600.0}) == at("05 11:54:30")


def test_an_ask_that_gives_newer_data_ends_the_rest():
    old, new = at("04 00:00"), at("05 00:00")
    asks = [(at(f"05 0{n}:00"), old) for n in range(4)]

    assert rests_until([]) is None
    assert rests_until(asks[:1]) is None
    assert rests_until(asks) == at("05 03:04")
    assert rests_until([*asks, (at("05 04:00"), new)]) is None
    assert rests_until([(NOW, None)]) == at("05 12:01")


# Graphs at random: each asset reads some of what is before it.


@st.composite
def worlds(draw):
    """Ages of a random graph whose published data is as old as its inputs, or older."""
    hours = st.integers(0, 11)
    sources = [f"s{n}" for n in range(draw(st.integers(1, 3)))]
    seen = {name: data(name, f"05 {draw(hours):02}:00") for name in sources}
    upstreams, published, volatile = {}, {}, set()
    for n in range(draw(st.integers(1, 8))):
        name = f"a{n}"
        reads = draw(st.lists(st.sampled_from([*sources, *upstreams]), max_size=3, unique=True))
        if not reads or draw(st.integers(0, 5)) == 0:
            volatile.add(name)
        upstreams[name] = tuple(reads)
        limits = [one.at for up in reads if (one := published.get(up, seen.get(up)))]
        limits += [at(f"05 {draw(hours):02}:00")] if draw(st.booleans()) or not limits else []
        if draw(st.integers(0, 9)):
            published[name] = data(name, f"05 {min(limits):%H:%M}")
    resting = {name: NOW + timedelta(hours=1) for name in volatile if draw(st.booleans())}
    wanted = draw(st.lists(st.sampled_from(list(upstreams)), min_size=1, unique=True))
    policies = {name: policy(max_lag=f"{draw(st.integers(1, 8))}h") for name in wanted}
    return Ages(upstreams, published, seen, frozenset(volatile), resting), policies


def after(here, steps):
    """Return how recent each asset is after `steps` ran, upstream first."""
    published = dict(here.published)
    for name in here.upstreams:
        if name in steps:
            inputs = [published.get(one, here.seen.get(one)) for one in here.upstreams[name]]
            if None in inputs:
                continue
            limits = [one.at for one in inputs]
            if name in here.volatile:
                own = published[name].at if name in here.resting and name in published else NOW
                limits.append(own)
            published[name] = DataTime(name, min(limits))
    return published


def goals(here, policies):
    """Return what can be reached: for each policy that a run helps, how recent at least."""
    best = attainable(here, NOW)
    found = {}
    for name, one in policies.items():
        published = here.published.get(name)
        need = NOW - timedelta(seconds=one.max_lag_seconds)
        if published is None or (published.at < need and best[name].at > published.at):
            found[name] = min(need, best[name].at)
    return found


def reaches(published, wanted):
    return all(name in published and published[name].at >= need for name, need in wanted.items())


@given(worlds())
def test_the_least_brings_back_all_that_can_be_brought_back(world):
    here, policies = world

    steps = names(least_refresh(here, policies, NOW, {}))

    assert reaches(after(here, steps), goals(here, policies))


@given(worlds())
def test_no_step_of_the_least_can_be_left_out(world):
    here, policies = world

    steps = names(least_refresh(here, policies, NOW, {}))

    for left_out in steps:
        without = [name for name in steps if name != left_out]
        assert not reaches(after(here, without), goals(here, policies))


@given(worlds())
def test_what_is_held_back_stays_overdue_whatever_runs(world):
    here, policies = world

    held_back = least_refresh(here, policies, NOW, {}).held_back

    everything = after(here, here.upstreams)
    for name in held_back:
        assert becomes_overdue(policies[name], everything[name].at) < NOW


DEADLINES = ("0 13 * * *", "30 12 * * *", "0 7 * * 1", "0 6,18 * * *")


@st.composite
def looks_ahead(draw):
    """A world with deadlines, too, how long its steps take, and how far is looked ahead."""
    here, policies = draw(worlds())
    for name in policies:
        if draw(st.booleans()):
            bounds = {"deadline": draw(st.sampled_from(DEADLINES)), "within": "2h"}
            if draw(st.booleans()):
                bounds["max_lag"] = f"{draw(st.integers(3, 9))}h"
            policies[name] = policy(**bounds)
    seconds = {name: 60.0 * draw(st.integers(0, 40)) for name in here.upstreams}
    within = 60.0 * draw(st.integers(0, 120))
    return here, policies, usual_durations(here.upstreams, seconds), within


def done_at(name, usual, within):
    return NOW + timedelta(seconds=usual.get(name, 0.0) + within)


def helps(one, published, best):
    return becomes_overdue(one, best.at) > becomes_overdue(one, published.at)


def to_reach(here, policies, usual, within):
    """Return how recent each asset is to be, of those that a run helps and need it."""
    best = attainable(here, NOW)
    found = {}
    for name, one in policies.items():
        published, done = here.published.get(name), done_at(name, usual, within)
        need = needed_data_time(one, done)
        is_too_old = published is None or published.at < need
        if is_too_old and (published is None or helps(one, published, best[name])):
            found[name] = min(need, best[name].at)
    return found


@settings(deadline=None)
@given(looks_ahead())
def test_after_a_look_ahead_nothing_is_overdue_that_can_be_brought_back(drawn):
    here, policies, usual, within = drawn

    found = least_refresh(here, policies, NOW, usual, within)

    made, best = after(here, names(found)), attainable(here, NOW)
    assert reaches(made, to_reach(here, policies, usual, within))
    for name, one in policies.items():
        done = done_at(name, usual, within)
        can_be_met = becomes_overdue(one, best[name].at) >= done
        is_met = becomes_overdue(one, made[name].at) >= done
        assert is_met or not can_be_met
        assert is_met or name in found.held_back


@settings(deadline=None)
@given(looks_ahead())
def test_whatever_brings_all_back_has_each_step_of_the_least(drawn):
    here, policies, _, within = drawn
    least = set(names(least_refresh(here, policies, NOW, {}, within)))
    wanted = to_reach(here, policies, {}, within)

    for left_out in least:
        others = [name for name in here.upstreams if name != left_out]
        assert not reaches(after(here, others), wanted)


@settings(deadline=None)
@given(looks_ahead())
def test_each_step_is_there_once_upstream_first_and_for_a_policy_that_is_below(drawn):
    here, policies, usual, within = drawn

    found = least_refresh(here, policies, NOW, usual, within)

    places = [list(here.upstreams).index(name) for name in names(found)]
    assert places == sorted(set(places))
    for refresh in found.refreshes:
        asking = [reason.asset for reason in refresh.reasons]
        assert asking
        assert len(set(asking)) == len(asking)
        assert all(name in policies and refresh.asset in made_from(here, name) for name in asking)


def made_from(here, name):
    """Return `name` and all that it is made from."""
    found, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting += here.upstreams.get(one, ())
    return found


@settings(deadline=None)
@given(looks_ahead())
def test_no_step_is_made_that_gives_nothing_newer(drawn):
    here, policies, usual, within = drawn

    steps = names(least_refresh(here, policies, NOW, usual, within))

    made = after(here, steps)
    for name in steps:
        published = here.published.get(name)
        assert published is None or made[name].at > published.at


@settings(deadline=None)
@given(looks_ahead())
def test_what_a_look_ahead_made_need_not_be_made_again_while_its_step_ran(drawn):
    here, policies, usual, within = drawn
    lags = {name: one for name, one in policies.items() if not one.deadline}

    steps = names(least_refresh(here, lags, NOW, usual, within))

    made, best = after(here, steps), attainable(here, NOW)
    for name in lags.keys() & set(steps):
        inputs = [usual.get(one, 0.0) for one in here.upstreams[name]]
        own = timedelta(seconds=usual[name] - max(inputs, default=0.0))
        again = done_at(name, usual, within) + own
        assert made[name].at >= min(needed_data_time(lags[name], again), best[name].at)


def test_a_step_that_many_need_names_the_most_urgent():
    upstreams = {"clean": ("orders",)} | {f"mart_{n}": ("clean",) for n in range(9)}
    old = {"clean": "05 06:00"} | {f"mart_{n}": f"05 0{n % 6}:00" for n in range(9)}
    here = ages(old, {"orders": "05 11:00"}, upstreams)

    found = least_refresh(here, {f"mart_{n}": LAG for n in range(9)}, NOW, {})

    assert reasons(found)["clean"] == ["mart_0", "mart_6", "mart_1", "mart_7", "mart_2"]
