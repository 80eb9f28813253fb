"""Invariant 1 again: short journeys, each of which finds bugs that random ones may miss.

README.md has the bugs that were planted, and which journey finds each.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from assetflow import api
from assetflow.planning.listener import Silent
from tests.invariants.journeys import EDITS, Journey, Leg
from tests.invariants.shops import RANKED, TEMPLATES, Declared, Row, Scratch, Shop

TEMPLATE = {one.name: one for one in (*TEMPLATES, RANKED)}
S = ((1, 1, 2, 0), (1, 1, 2, 0), (1, 2, 1, 1), (2, 3, 1, 5))
T = ((1, 2, 3, 0), (2, 1, 3, 1))

Change = Callable[[Shop], Shop]


def shop(**assets: str) -> Shop:
    """Return a shop of assets as they are written: "join s t 1" is join over s, t, with 1."""
    return Shop((("s", S), ("t", T)), tuple(asset(name, said) for name, said in assets.items()))


def asset(name: str, said: str) -> Declared:
    template, *inputs, number = said.split()
    return Declared(name, TEMPLATE[template], tuple(inputs), int(number))


def to(name: str, said: str) -> Change:
    """Let the asset `name` be another."""
    return lambda shop: replace(
        shop,
        assets=tuple(asset(name, said) if one.name == name else one for one in shop.assets),
    )


def holds(source: str, *rows: Row) -> Change:
    return lambda shop: shop.with_source(source, rows)


def edit(name: str, place: int = 0, number: int = 0) -> Change:
    return partial(EDITS[f"edit_{name}"], place=place, number=number)


def says(**fields: object) -> Change:
    return lambda shop: replace(shop, **fields)


def how(name: str, change: Change, place: int = 0) -> tuple[Change, str, int]:
    return change, f"how_{name}", place


def same(shop: Shop) -> Shop:
    return shop


@dataclass(frozen=True)
class Told:
    """Where a journey begins, and what befalls the project, leg by leg."""

    first: Shop
    changes: tuple[Change | tuple[Change, str, int], ...]

    def legs(self) -> list[Leg]:
        legs = [Leg("", self.first)]
        for change in self.changes:
            edited, *rest = change if isinstance(change, tuple) else (change,)
            legs.append(Leg("", edited(legs[-1].shop), *rest))
        return legs


def told(first: Shop, *changes: Change | tuple[Change, str, int]) -> Told:
    return Told(first, changes)


def both(*changes: Change) -> Change:
    def change(shop: Shop) -> Shop:
        for one in changes:
            shop = one(shop)
        return shop

    return change


A, B, C = S[1:]
JOURNEYS = {
    "data changes": told(
        shop(
            few="narrow s 1",
            named="chosen s 1",
            both="join s t 1",
            ranked="ranked s 0",
            first="head ranked 0",
            some="limit s 0",
            early="earliest s 0",
            deaf="ignoring s 0",
            below="star deaf 0",
        ),
        holds("s", A, B, B, C),
        edit("rotated", number=1),
        edit("swapped", number=3),
        edit("column", number=1),
        edit("reversed"),
        both(to("ranked", "ranked s 1"), edit("cell", place=1)),
    ),
    "definitions change": told(
        says(kind="INTEGER")(
            shop(
                helped="shifted s 0",
                alike="chosen s 0",
                up="filter s 0",
                called="macro s 1",
                bound="variable s 0",
                all="star up 0",
                some="chosen up 0",
                wide="widened s 0",
                over="star wide 0",
                sized="widths s 0",
            )
        ),
        both(edit("helper", number=2), to("up", "star s 0"), to("wide", "widened s 1")),
        both(edit("macro", number=2), to("up", "typed s 0")),
        edit("variable", number=2),
        both(edit("unused"), edit("note", place=2)),
        says(kind="BIGINT"),
    ),
    "changes are taken back": told(
        shop(
            x="narrow s 0",
            y="group x 0",
            z="star y 0",
            all="star s 0",
            again="again t 1",
            made="made 1",
        ),
        both(to("x", "filter s 1"), to("again", "again t 2"), to("made", "made 2")),
        says(null="5"),
        both(to("x", "narrow s 0"), to("again", "again t 1"), to("made", "made 1")),
        how("died", to("made", "made 3"), 1),
        how("refreshed", same),
        how("forced", same, 1),
    ),
    "accidents befall a run": told(
        shop(a="shifted s 0", b="shifted a 0", c="narrow t 0", d="made 0"),
        how("died", edit("helper", number=2), 2),
        how("broken", both(edit("helper", number=3), to("c", "narrow t 1"))),
        how("stopped", edit("removed", place=3), 1),
        edit("renamed", number=1),
    ),
    "files of versions are gone": told(
        shop(x="narrow s 0", y="star x 0", f="file s 0"),
        to("x", "narrow s 1"),
        how("lost", to("x", "narrow s 0")),
        how("lost", same, 1),
    ),
    "environments keep volatile assets to themselves": told(
        shop(made="made 1", all="star made 0"),
        how("elsewhere", to("made", "made 2")),
    ),
}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return Scratch(tmp_path_factory.mktemp("scratch"))


@pytest.mark.parametrize("name", JOURNEYS)
def test_on_a_telling_journey_incremental_equals_from_scratch(tmp_path, scratch, name):
    journey = Journey(tmp_path, scratch)

    for leg in JOURNEYS[name].legs():
        journey.go(leg)


class Moving(Silent):
    """Lets the files be those of another shop when the first step begins."""

    def __init__(self, journey: Journey, shop: Shop) -> None:
        self.journey = journey
        self.shop = shop

    def started(self, target: object) -> None:
        self.shop.write(self.journey.root)


def test_what_was_made_while_a_source_moved_is_never_taken_for_what_it_was(tmp_path, scratch):
    journey = Journey(tmp_path, scratch)
    first = shop(x="narrow s 0", y="star x 0", z="shifted s 0")
    journey.edit(first)
    moved = edit("swapped")(first)

    result = api.materialize(journey.load(), listener=Moving(journey, moved))

    assert result.status == "succeeded"
    journey.shop = moved
    assert journey.published() == journey.expected()
    journey.edit(first)
    api.materialize(journey.load())
    assert journey.published() == journey.expected()
