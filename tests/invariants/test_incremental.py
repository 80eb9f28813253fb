"""Invariant 1: incremental equals from scratch, and nothing runs without a reason.

Real projects are written, edited, interrupted and materialized again; each time what is
published must be what a clean project gives, and an asset may have run only if something
that it reads is new. Telling journeys are made for one bug each (see README.md); random
ones look for those that nobody thought of. To look for longer, and elsewhere each time:

    ASSETFLOW_EXAMPLES=500 pytest tests/invariants/test_incremental.py

A journey that fails is printed whole; with ASSETFLOW_SHRINK=1 it is made shorter first.
"""

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assetflow import api
from tests.invariants.journeys import EDITS, HOWS, Journey, Leg, fitting, readable
from tests.invariants.shops import RANKED, Declared, Scratch, Shop

EXAMPLES = int(os.environ.get("ASSETFLOW_EXAMPLES", "0"))
SHRINKS = "ASSETFLOW_SHRINK" in os.environ
SMALL = st.integers(0, 3)
ROWS = st.lists(st.tuples(SMALL, SMALL, SMALL, SMALL), min_size=1, max_size=4).map(tuple)


@st.composite
def declared(draw, shop: Shop, name: str) -> Declared:
    count = draw(st.sampled_from((1, 2, 1, 2, 0)))
    names = st.sampled_from(readable(shop)[::-1])
    inputs = tuple(draw(st.lists(names, min_size=count, max_size=count, unique=True)))
    empty = Declared(name, RANKED, inputs, draw(SMALL))
    return replace(empty, template=draw(st.sampled_from(fitting(shop, empty))))


@st.composite
def shops(draw) -> Shop:
    sources = (("s", draw(ROWS)), ("t", draw(ROWS)))
    shop = Shop(sources, (Declared("ranked", RANKED, ("s",)),))
    for place in range(draw(st.integers(2, 6))):
        shop = replace(shop, assets=(*shop.assets, draw(declared(shop, f"x{place}"))))
    return shop


@st.composite
def journeys(draw) -> list[Leg]:
    """Draw shops, each an edit of the one before; a revert is one of those before that."""
    legs = [Leg("", draw(shops()))]
    for number in range(draw(st.integers(3, 6))):
        kind = draw(st.sampled_from([*EDITS, "added", "reverted"]))
        place = draw(st.integers(0, 20))
        if kind == "reverted":
            shop = legs[place % len(legs)].shop
        elif kind == "added":
            before = legs[-1].shop
            added = draw(declared(before, f"y{number}"))
            shop = replace(before, assets=(*before.assets, added))
        else:
            before = legs[-1].shop
            shop = EDITS[kind](before, place % len(before.assets), draw(SMALL))
        legs.append(Leg(kind, shop, draw(st.sampled_from(["how_plainly", *HOWS])), place))
    return legs


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return Scratch(tmp_path_factory.mktemp("scratch"))


@settings(
    max_examples=EXAMPLES or 3,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink) if SHRINKS else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(legs=journeys())
def test_incremental_equals_from_scratch(tmp_path_factory, scratch, legs):
    journey = Journey(tmp_path_factory.mktemp("project"), scratch)

    for leg in legs:
        journey.go(leg)

    statuses = api.status(api.load(journey.root))
    assert {(one.sync, one.behind) for one in statuses} == {("up_to_date", ())}
