"""Invariant 1 for partitions: short journeys, each of which finds bugs that random ones may miss.

README.md has the bugs that were planted, and which journey finds each. Files are packed
as soon as there are three.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from assetflow import api
from assetflow.planning.results import RunResult
from assetflow.warehouse import packing
from tests.invariants.calendar_journeys import EDITS, Journey, Leg, go
from tests.invariants.calendars import (
    LAYOUTS,
    Calendar,
    Declared,
    Row,
    Scheme,
    Scratch,
    published,
)

Change = Callable[[Calendar], Calendar]

ROWS: tuple[Row, ...] = ((0, 0, 1, 1), (1, 1, 2, 3), (2, 0, 1, 2), (3, 1, 3, 1), (4, 0, 2, 2))
SCHEMES = {
    "days": Scheme("days"),
    "more": Scheme("days", 0, 8),
    "weeks": Scheme("weeks"),
    "months": Scheme("months"),
    "regions": Scheme("regions"),
    "named": Scheme("named"),
    "both": Scheme("both"),
    "none": Scheme(),
}


def calendar(layout: str = "whole", **assets: str) -> Calendar:
    """Return assets as they are written: "copied days x trailing 1" is a copy by days of x.

    It has the mapping `trailing` and the number 1; "keyed" and "batched" may follow.
    """
    found = tuple(asset(name, *said.split()) for name, said in assets.items())
    has_event_time = layout == "cut"
    one = Calendar(ROWS, found, has_event_time, "whole" if has_event_time else layout)
    assert one.is_sound
    return one


def asset(
    name: str, template: str, scheme: str, reads: str, mapping: str, number: str, *more: str
) -> Declared:
    return Declared(
        name,
        template,
        SCHEMES[scheme],
        reads,
        mapping,
        int(number),
        batch=3 if "batched" in more else 1,
        keyed="keyed" in more,
    )


def edit(name: str, place: int = 0, number: int = 0) -> Change:
    return partial(EDITS[f"edit_{name}"], place=place, number=number)


def row(place: int, *row: int) -> Change:
    """Let the row at `place` be another; one more, where there are not so many."""
    return lambda one: replace(one, rows=(*one.rows[:place], row, *one.rows[place + 1 :]))


def added(name: str, said: str) -> Change:
    return lambda one: replace(one, assets=(*one.assets, asset(name, *said.split())))


def how(name: str, change: Change, place: int = 0) -> tuple[Change, str, int]:
    return change, name, place


def legs(first: Calendar, *changes: Change | tuple[Change, str, int]) -> Iterator[Leg]:
    before = first
    yield Leg("", first, "plainly", 0)
    for change in changes:
        edited, *rest = change if isinstance(change, tuple) else (change, "plainly", 0)
        before = edited(before)
        assert before.is_sound
        yield Leg("", before, *rest)


LATE = (row(5, 3, 0, 1, 3), row(2, 2, 0, 1, 9), edit("gone"))
AGAIN = {"cut": (added("new", "ignoring days raw inferred 1"), row(3, 3, 1, 3, 8))}
OVER = {
    "same": "odd days x inferred 0",
    "two": "counted days x trailing 1",
    "before": "copied days x before 0",
    "newest": "copied days x latest 0",
    "every": "passed days x all 0",
    "month": "summed months x inferred 0",
    "week": "sized weeks x inferred 0",
    "total": "passed none x inferred 0",
    "each": "copied both x inferred 0",
}
LAYOUT_JOURNEYS = {
    layout: list(legs(calendar(layout, **assets), *LATE, *AGAIN.get(layout, ())))
    for layout, assets in {
        "whole": {"x": "copied days raw inferred 0", **OVER},
        "cut": {
            "x": "copied days raw inferred 0",
            "deaf": "ignoring days raw inferred 0",
            "all": "passed months raw inferred 0",
            "below": "counted weeks all all 0",
        },
        "days": {
            "x": "copied days raw inferred 0",
            "two": "passed more raw trailing 0",
            "before": "passed days raw before 0",
            "month": "passed months raw inferred 0",
            "deaf": "ignoring days raw inferred 0",
            "total": "sized none raw inferred 0",
        },
        "found": {
            "x": "copied days raw inferred 0",
            "two": "counted days x trailing 0",
            "last": "passed days raw latest 0",
        },
        "folders": {"x": "copied months raw inferred 0", "y": "passed days raw inferred 0"},
        "regions": {"x": "copied regions raw inferred 0", "y": "passed both raw inferred 0"},
    }.items()
}
JOURNEYS = {
    "ranges move": legs(
        calendar(x="copied days raw inferred 0", **OVER),
        how("slices", edit("all_ranges", 2, 1), 1),
        edit("widened"),
        how("capped", edit("widened", 1, 1)),
        edit("narrowed"),
        how("forced", edit("all_ranges", 0, 0), 1),
    ),
    "windows move": legs(
        calendar(x="copied days raw inferred 0", t="counted days x trailing 0"),
        edit("zone", 1, 0),
        edit("zone", 0, 1),
        edit("zone", 0, 0),
    ),
    "keys come and go": legs(
        calendar(
            x="copied named raw inferred 0",
            y="passed named x inferred 0",
            n="sized none x inferred 0",
            d="passed days x all 0",
        ),
        edit("places", 2),
        edit("places", 0),
        edit("places", 0),
        how("died", edit("places", 1), 2),
        row(0, 0, 1, 1, 1),
    ),
    "keys are seen": legs(
        calendar(
            x="odd days raw inferred 0 keyed",
            s="labelled days x inferred 0",
            b="labelled days x before 0",
            two="labelled days x trailing 0",
            a="labelled none x inferred 0",
            p="passed months x inferred 0",
            c="copied none x inferred 0",
        ),
        row(2, 2, 0, 1, 4),
        row(2, 2, 0, 1, 5),
        row(5, 1, 0, 3, 5),
    ),
    "keys are seen no more": legs(
        calendar(
            x="copied days raw inferred 0 keyed",
            p="passed months x inferred 0",
            c="copied none x inferred 0",
        ),
        edit("keyed"),
        edit("keyed"),
    ),
    "batches": legs(
        calendar(
            x="copied days raw inferred 0",
            y="passed days x inferred 0 batched",
            z="odd days y inferred 0 batched",
            t="counted days z trailing 0",
        ),
        row(2, 2, 0, 1, 9),
        how("broken", edit("number", 0, 1), 1),
        how("slices", row(5, 1, 1, 1, 1), 1),
        how("stopped", edit("number", 1, 1), 2),
        how("died", edit("number", 2, 1), 3),
        edit("batch", 1, 0),
    ),
    "partitions are turned on and off": legs(
        calendar(x="copied days raw inferred 0", y="passed days x inferred 0"),
        edit("whole", 1),
        edit("whole", 1),
        edit("scheme", 1, 2),
        edit("renamed", 0, 1),
        edit("removed", 1),
        edit("event_time"),
    ),
    "the source is laid out anew": legs(
        calendar(x="copied days raw inferred 0", y="passed months x inferred 0"),
        edit("layout"),
        edit("layout"),
        edit("event_time"),
        lambda one: replace(one, layout="whole"),
        edit("event_time"),
    ),
}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return Scratch(tmp_path_factory.mktemp("scratch"))


@pytest.fixture(autouse=True)
def packed_soon(monkeypatch):
    monkeypatch.setattr(packing, "FEWEST_FILES", 3)


def walk(root, scratch: Scratch, journey: list[Leg]) -> None:
    on_the_way = Journey(root, scratch)
    for leg in journey:
        on_the_way.edit(leg.calendar)
        if leg.how != "plainly":
            go(on_the_way, leg.how, leg.place)
        on_the_way.settle()


@pytest.mark.parametrize("layout", [*LAYOUTS, "cut"])
def test_late_data_of_any_layout_reruns_what_reads_it(tmp_path, scratch, layout):
    walk(tmp_path, scratch, LAYOUT_JOURNEYS[layout])


@pytest.mark.parametrize("name", JOURNEYS)
def test_on_a_telling_journey_partitions_equal_those_from_scratch(tmp_path, scratch, name):
    walk(tmp_path, scratch, list(JOURNEYS[name]))


def test_a_file_that_comes_late_is_a_gap_until_then_and_makes_what_waited_for_it(tmp_path, scratch):
    one = calendar(
        "days",
        x="copied days raw inferred 0",
        two="counted days x trailing 0",
        month="summed months x inferred 0",
        total="sized none x inferred 0",
    )
    one.write(tmp_path)
    late = tmp_path / "data/days/2026-01-28.csv"
    text = late.read_text("utf-8")
    late.unlink()

    first = api.materialize(api.load(tmp_path))
    late.write_text(text, "utf-8")
    second = api.materialize(api.load(tmp_path))

    assert outcomes(first, "skipped") == {
        *("x[2026-01-28]", "two[2026-01-28]", "two[2026-01-29]", "month[2026-01]"),
    }
    assert outcomes(second, "materialized") == {*outcomes(first, "skipped"), "total"}
    assert published(tmp_path) == scratch.contents(one)


def outcomes(result: RunResult, outcome: str) -> set[str]:
    return {str(step.target) for step in result.steps if step.outcome == outcome}
