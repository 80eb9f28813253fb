"""Invariant 1: incremental equals from scratch, and nothing runs without a reason.

Real projects are written, edited, interrupted and materialized again; each time what is
published must be what a clean project gives, and an asset may have run only if something
that it reads is new. To look for longer, and elsewhere each time:

    ASSETFLOW_EXAMPLES=500 pytest tests/invariants/test_incremental.py

A journey that fails is printed whole; with ASSETFLOW_SHRINK=1 it is made shorter first.
"""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assetflow import api
from assetflow.errors import NothingAsOf
from assetflow.metadata.folding import fold
from assetflow.metadata.store import Store
from assetflow.planning.listener import Silent
from tests.invariants.shops import (
    RANKED,
    Content,
    Declared,
    Scratch,
    Shop,
    Template,
    published,
    templates_over,
)

EXAMPLES = int(os.environ.get("ASSETFLOW_EXAMPLES", "0"))
SHRINKS = "ASSETFLOW_SHRINK" in os.environ
RAN = ("materialized", "unchanged")
SMALL = st.integers(0, 3)
ROWS = st.lists(st.tuples(SMALL, SMALL, SMALL, SMALL), min_size=1, max_size=4).map(tuple)


def kind_of(shop: Shop, name: str) -> str:
    if name in shop.sources_by_name:
        return "source"
    one = next(one for one in shop.assets if one.name == name)
    return "ranked" if one.template == RANKED else "asset"


def readable(shop: Shop) -> list[str]:
    files = {one.name for one in shop.assets if one.template.is_file}
    return [name for name in shop.names if name not in files]


def fitting(shop: Shop, one: Declared) -> list[Template]:
    """Return the templates that `one` can have, with the inputs and readers that it has."""
    kind = kind_of(shop, one.inputs[0]) if one.inputs else ""
    found = templates_over(len(one.inputs), kind)
    return [each for each in found if not (each.is_file and shop.readers(one.name))]


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


@dataclass
class Journey:
    """A project in `root`, edited on and on, and what was made in it from what."""

    root: Path
    scratch: Scratch
    shop: Shop | None = None
    made: dict[str, set[object]] = field(default_factory=dict)
    newest: dict[str, object] = field(default_factory=dict)
    steps_known: int = 0

    def edit(self, shop: Shop) -> None:
        self.shop = shop
        shop.write(self.root)

    def settle(self) -> None:
        """Materialize everything, and hold it against a clean project."""
        result = self.materialize()

        assert result.status == "succeeded", [step.error for step in result.steps if step.error]
        assert self.published() == self.scratch.contents(self.shop)
        assert api.materialize(api.load(self.root)).steps == ()

    def materialize(self, *select: str, may_run: tuple[str, ...] = (), **options: object):
        result = api.materialize(api.load(self.root), select, **options)
        logged = self.check_what_ran(may_run)
        assert {(one.target.asset, one.outcome) for one in result.steps} <= set(logged)
        return result

    def published(self) -> dict[str, Content]:
        return published(self.shop, self.root)

    def served(self, name: str) -> Content | None:
        """Return what is served of one asset; None, before it was ever made."""
        with suppress(NothingAsOf):
            found = api.read(api.load(self.root), name)
            if isinstance(found, Path):
                return Content((), ((found.read_text("utf-8"),),))
            return Content(
                tuple(zip(found.column_names, map(str, found.schema.types), strict=True)),
                tuple(zip(*found.to_pydict().values(), strict=True)),
            )
        return None

    def check_what_ran(self, may_run: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        """Look into the log: nothing ran that was made before from the same."""
        identities = self.shop.identities(self.scratch.contents(self.shop))
        volatile = {one.name: one.template.is_volatile for one in self.shop.assets}
        logged = self._newly_logged()
        for name, outcome in logged:
            if outcome in RAN:
                identity = identities[name]
                is_known = identity in self._known(name, is_volatile=volatile[name])
                assert not is_known or name in may_run, f"{name} ran again"
            if outcome in (*RAN, "reused", "verified"):
                self.made.setdefault(name, set()).add(identities[name])
                self.newest[name] = identities[name]
        return logged

    def _known(self, name: str, *, is_volatile: bool) -> set[object]:
        one = next(one for one in self.shop.assets if one.name == name)
        if is_volatile:
            return {self.newest.get(name), self.newest.get(one.renamed_from)} - {None}
        return self.made.get(name, set()) | self.made.get(one.renamed_from, set())

    def _newly_logged(self) -> list[tuple[str, str]]:
        state = self.root / ".assetflow"
        fold(state, api.now())
        with Store(state).reading() as connection:
            query = f"select asset, outcome from steps order by rowid offset {self.steps_known}"
            logged = connection.execute(query).fetchall()
        self.steps_known += len(logged)
        return logged


class Stopping(Silent):
    """Stops its run, or dies in the midst of it, when so many steps have ended."""

    def __init__(self, steps: int, *, is_hard: bool) -> None:
        self.left = steps
        self.is_hard = is_hard

    def started(self, target: object) -> None:
        if self.left == 0:
            self._stop()

    def finished(self, result: object) -> None:
        self.left -= 1
        if self.left == 0:
            self._stop()

    def _stop(self) -> None:
        self.left = -1
        if self.is_hard:
            raise Died
        signal.raise_signal(signal.SIGINT)


class Died(BaseException):
    """The process is gone, as far as the run can tell."""


# Edits: what becomes of the files. `place` and `number` are drawn, whatever they mean.


def edit_number(shop: Shop, place: int, number: int) -> Shop:
    return shop.with_asset(place, number=number)


def edit_note(shop: Shop, place: int, number: int) -> Shop:
    return shop.with_asset(place, note=shop.assets[place].note + 1)


def edit_template(shop: Shop, place: int, number: int) -> Shop:
    one = shop.assets[place]
    if one.template == RANKED:
        return edit_number(shop, place, number)
    found = fitting(shop, one)
    return shop.with_asset(place, template=found[(place * 7 + number) % len(found)])


def edit_helper(shop: Shop, place: int, number: int) -> Shop:
    return replace(shop, shift=number)


def edit_unused(shop: Shop, place: int, number: int) -> Shop:
    return replace(shop, unused=shop.unused + 1)


def edit_cell(shop: Shop, place: int, number: int) -> Shop:
    name, rows = shop.sources[place % 2]
    row = list(rows[place % len(rows)])
    row[(place + number) % 4] = number
    changed = list(rows)
    changed[place % len(rows)] = tuple(row)
    return shop.with_source(name, tuple(changed))


def edit_column(shop: Shop, place: int, number: int) -> Shop:
    """Perturb the one column that only few read."""
    name, rows = shop.sources[place % 2]
    return shop.with_source(name, tuple((*row[:3], row[3] + number + 1) for row in rows))


def edit_reversed(shop: Shop, place: int, number: int) -> Shop:
    name, rows = shop.sources[place % 2]
    return shop.with_source(name, rows[::-1])


def edit_appended(shop: Shop, place: int, number: int) -> Shop:
    name, rows = shop.sources[place % 2]
    return shop.with_source(name, (*rows, (number, place % 3, number, place % 2)))


def edit_shortened(shop: Shop, place: int, number: int) -> Shop:
    name, rows = shop.sources[place % 2]
    return shop.with_source(name, rows[1:] or rows)


def edit_removed(shop: Shop, place: int, number: int) -> Shop:
    one = shop.assets[place]
    if shop.readers(one.name) or len(shop.assets) < 2:
        return shop
    return replace(shop, assets=tuple(each for each in shop.assets if each != one))


def edit_renamed(shop: Shop, place: int, number: int) -> Shop:
    old = shop.assets[place].name
    new = f"{old}_{number}"
    if new in shop.names:
        return shop
    shop = shop.with_asset(place, name=new, renamed_from=old)
    inputs = [tuple(new if name == old else name for name in one.inputs) for one in shop.assets]
    assets = (replace(one, inputs=names) for one, names in zip(shop.assets, inputs, strict=True))
    return replace(shop, assets=tuple(assets))


EDITS = {name: edit for name, edit in globals().items() if name.startswith("edit_")}
HOWS = ("plainly", "plainly", "stopped", "died", "selected", "forced", "refreshed", "broken")


@dataclass(frozen=True)
class Leg:
    """One part of a journey: what became of the files, and how it is materialized first."""

    edit: str
    shop: Shop
    how: str
    place: int

    def _repr_pretty_(self, printer: object, cycle: object) -> None:
        printer.text(f"{self.edit}, {self.how} {self.place}: {self.shop}")


@st.composite
def journeys(draw) -> list[Leg]:
    """Draw shops, each an edit of the one before; a revert is one of those before that."""
    legs = [Leg("", draw(shops()), "plainly", 0)]
    for number in range(draw(st.integers(3, 7))):
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
        legs.append(Leg(kind, shop, draw(st.sampled_from(HOWS)), place))
    return legs


def go(journey: Journey, how: str, place: int) -> None:
    """Materialize in some other way first: partly, by force, with an accident."""
    assets = journey.shop.assets
    one = assets[place % len(assets)]
    match how:
        case "stopped":
            journey.materialize(listener=Stopping(place % 4, is_hard=False))
        case "died":
            try:
                journey.materialize(listener=Stopping(place % 4, is_hard=True))
            except Died:
                journey.check_what_ran()
        case "selected":
            journey.materialize(one.name)
            assert journey.published()[one.name] == journey.scratch.contents(journey.shop)[one.name]
        case "forced":
            result = journey.materialize(one.name, force=True, may_run=(one.name,))
            assert one.name in [each.target.asset for each in result.steps if each.outcome in RAN]
        case "refreshed":
            volatile = tuple(each.name for each in assets if each.template.is_volatile)
            result = journey.materialize(refresh=True, may_run=volatile)
            ran = {each.target.asset for each in result.steps if each.outcome in RAN}
            assert ran >= set(volatile)
        case "broken" if one.template.is_python:
            break_and_mend(journey, place % len(assets))


def break_and_mend(journey: Journey, place: int) -> None:
    name = journey.shop.assets[place].name
    before = journey.served(name)
    journey.shop.with_asset(place, is_broken=True).write(journey.root)

    result = journey.materialize()

    assert result.status == "failed"
    assert journey.served(name) == before
    journey.shop.write(journey.root)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return Scratch(tmp_path_factory.mktemp("scratch"))


@settings(
    max_examples=EXAMPLES or 8,
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
        journey.edit(leg.shop)
        go(journey, leg.how, leg.place)
        journey.settle()

    statuses = api.status(api.load(journey.root))
    assert {(one.sync, one.behind) for one in statuses} == {("up_to_date", ())}
