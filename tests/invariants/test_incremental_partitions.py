"""Invariant 1, slice by slice: incremental equals from scratch, and nothing runs without a reason.

Real projects of partitioned assets are written, edited, interrupted and materialized again:
schemes, mappings, ranges, batches, late rows, failures of one partition, kills, runs of a few
partitions. Each time what is published must be what a clean project gives, and a partition
may have run only if something that it reads is new. Before each run the plan over what the
store shows to be doubtful must be the plan over everything.

    ASSETFLOW_EXAMPLES=200 pytest tests/invariants/test_incremental_partitions.py

A journey that fails is printed whole; with ASSETFLOW_SHRINK=1 it is made shorter first.
"""

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assetflow import api
from tests.invariants.calendar_journeys import EDITS, KINDS, Journey, Leg, go
from tests.invariants.calendars import (
    LAYOUTS,
    MAPPINGS,
    TEMPLATES,
    Calendar,
    Declared,
    Scheme,
    Scratch,
)

EXAMPLES = int(os.environ.get("ASSETFLOW_EXAMPLES", "0"))
SHRINKS = "ASSETFLOW_SHRINK" in os.environ
SMALL = st.integers(0, 3)
ROW = st.tuples(st.integers(0, 9), st.integers(0, 1), SMALL, SMALL)
SOURCES = ("whole", "whole", *LAYOUTS)
SCHEMES = st.builds(
    Scheme,
    kind=st.sampled_from(KINDS),
    first=st.sampled_from((0, 0, 0, 2)),
    last=st.sampled_from((5, 5, 8)),
)


@st.composite
def declared(draw, calendar: Calendar, name: str) -> Declared | None:
    """Draw an asset over those of `calendar`; None where no mapping fits."""
    one = Declared(
        name=name,
        template=draw(st.sampled_from(TEMPLATES)),
        scheme=draw(SCHEMES),
        reads=draw(st.sampled_from(["raw", *calendar.by_name][::-1])),
        mapping=draw(st.sampled_from(sorted(MAPPINGS))),
        number=draw(SMALL),
        batch=draw(st.sampled_from((3, 1))),
        keyed=draw(st.booleans()),
    )
    above = calendar.by_name.get(one.reads)
    return fitted(calendar, one, above.scheme if above else Scheme())


def fitted(calendar: Calendar, one: Declared, scheme: Scheme) -> Declared | None:
    """Return `one`, or the first asset like it that can be mapped to what it reads."""
    plain = replace(one, mapping="inferred")
    likes = [one, replace(one, batch=1), plain, replace(plain, batch=1)]
    likes += [replace(plain, batch=1, scheme=scheme)]
    likes += [replace(like, keyed=False, template="copied") for like in likes]
    for like in likes:
        if replace(calendar, assets=(*calendar.assets, like)).is_sound:
            return like
    return None


@st.composite
def calendars(draw) -> Calendar:
    rows = draw(st.lists(ROW, min_size=3, max_size=8))
    calendar = Calendar(tuple(rows), (), draw(st.booleans()), draw(st.sampled_from(SOURCES)))
    schemes = SCHEMES.filter(lambda one: one.kind != "none")
    base = Declared("x0", "copied", draw(schemes), "raw", keyed=draw(st.booleans()))
    calendar = replace(calendar, assets=(base,))
    if not calendar.is_sound:
        calendar = replace(calendar, layout="whole")
    for place in range(1, draw(st.integers(2, 5))):
        one = draw(declared(calendar, f"x{place}"))
        if one is not None:
            calendar = replace(calendar, assets=(*calendar.assets, one))
    return calendar


HOWS = ("plainly", "slices", "slices", "died", "stopped", "forced", "broken", "broken", "capped")


@st.composite
def journeys(draw) -> list[Leg]:
    legs = [Leg("", draw(calendars()), draw(st.sampled_from(HOWS)), draw(st.integers(0, 20)))]
    for number in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from([*EDITS, "added", "reverted"]))
        place = draw(st.integers(0, 20))
        before = legs[-1].calendar
        if kind == "reverted":
            calendar = legs[place % len(legs)].calendar
        elif kind == "added":
            added = draw(declared(before, f"y{number}"))
            calendar = replace(before, assets=(*before.assets, *([added] if added else [])))
        else:
            calendar = EDITS[kind](before, place % len(before.assets), draw(SMALL))
        if calendar.is_sound:
            legs.append(Leg(kind, calendar, draw(st.sampled_from(HOWS)), place))
    return legs


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return Scratch(tmp_path_factory.mktemp("scratch"))


@settings(
    max_examples=EXAMPLES or 6,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink) if SHRINKS else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(legs=journeys())
def test_incremental_equals_from_scratch_partition_by_partition(tmp_path_factory, scratch, legs):
    journey = Journey(tmp_path_factory.mktemp("project"), scratch)

    for leg in legs:
        journey.edit(leg.calendar)
        go(journey, leg.how, leg.place)
        journey.settle()

    statuses = api.status(api.load(journey.root))
    assert {(one.sync, one.behind) for one in statuses} == {("up_to_date", ())}
