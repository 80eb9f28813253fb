"""Journeys: a project is edited on and on, and what is published and what ran is held to be right.

Here are the journey itself, the edits that may befall a project, and the ways to
materialize it: partly, by force, with an accident.
"""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from assetflow import api
from assetflow.errors import NothingAsOf
from assetflow.metadata.recall import pointers
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

RAN = ("materialized", "unchanged")
TAKEN = ("reused", "verified")


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


@dataclass(frozen=True)
class Leg:
    """One part of a journey: what became of the files, and how it is materialized first."""

    edit: str
    shop: Shop
    how: str = "how_plainly"
    place: int = 0

    def _repr_pretty_(self, printer: object, cycle: object) -> None:
        printer.text(f"{self.edit}, {self.how} {self.place}: {self.shop}")


@dataclass
class Journey:
    """A project in `root`, edited on and on, and what was made in it from what."""

    root: Path
    scratch: Scratch
    shop: Shop | None = None
    environment: str = "main"
    made: dict[str, set[object]] = field(default_factory=dict)
    newest: dict[tuple[str, str], object] = field(default_factory=dict)
    steps_known: int = 0

    def edit(self, shop: Shop) -> None:
        self.shop = shop
        shop.write(self.root)

    def load(self) -> api.Project:
        return api.load(self.root, environment=self.environment)

    def settle(self) -> None:
        """Materialize everything, and hold it against a clean project."""
        result = self.materialize()

        assert result.status == "succeeded", [step.error for step in result.steps if step.error]
        assert self.published() == self.expected()
        assert api.materialize(self.load()).steps == ()

    def materialize(self, *select: str, may_run: tuple[str, ...] = (), **options: object):
        result = api.materialize(self.load(), select, **options)
        logged = self.check_what_ran(may_run)
        assert {(one.target.asset, one.outcome) for one in result.steps} <= set(logged)
        return result

    def asset(self, place: int) -> Declared:
        return self.shop.assets[place % len(self.shop.assets)]

    def go(self, leg: Leg) -> None:
        """Edit, materialize in the way of `leg`, and then all."""
        self.edit(leg.shop)
        HOWS[leg.how](self, leg.place)
        self.settle()

    def expected(self) -> dict[str, Content]:
        return self.scratch.contents(self.shop)

    def published(self) -> dict[str, Content]:
        return published(self.shop, self.root, self.environment)

    def served(self, name: str) -> Content | None:
        """Return what is served of one asset; None, before it was ever made."""
        with suppress(NothingAsOf):
            found = api.read(self.load(), name)
            if isinstance(found, Path):
                return Content((), ((found.read_text("utf-8"),),))
            return Content(
                tuple(zip(found.column_names, map(str, found.schema.types), strict=True)),
                tuple(zip(*found.to_pydict().values(), strict=True)),
            )
        return None

    def check_what_ran(self, may_run: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        """Look into the log: what ran was never made from the same, and all else was."""
        identities = self.shop.identities(self.expected())
        assets = {one.name: one for one in self.shop.assets}
        logged = self._newly_logged()
        for name, outcome in logged:
            if outcome not in (*RAN, *TAKEN):
                continue
            is_known = identities[name] in self._known(assets[name])
            if outcome in RAN:
                assert not is_known or name in may_run, f"{name} ran again"
            else:
                assert is_known, f"{name} was taken from something else"
            self.made.setdefault(name, set()).add(identities[name])
            self.newest[self.environment, name] = identities[name]
        return logged

    def _known(self, one: Declared) -> set[object]:
        """Return from what `one` was made that may be taken; if volatile, the newest only."""
        names = (one.name, one.renamed_from)
        if one.template.is_volatile:
            return {self.newest.get((self.environment, name)) for name in names} - {None}
        return set().union(*(self.made.get(name, set()) for name in names))

    def _newly_logged(self) -> list[tuple[str, str]]:
        state = self.root / ".assetflow"
        with Store(state).reading() as connection:
            query = f"select asset, outcome from steps order by rowid offset {self.steps_known}"
            logged = connection.execute(query).fetchall()
        self.steps_known += len(logged)
        return logged

    def go_to(self, environment: str) -> None:
        """Work in `environment` from now on, which begins with all that is served here."""
        if environment not in {one.name for one in api.environments(self.load())}:
            api.create_environment(self.load(), environment, self.environment)
            pointed = pointers(self.root / ".assetflow", environment)
            served = {(self.environment, target.asset) for target in pointed}
            for there, name in served & self.newest.keys():
                self.newest[environment, name] = self.newest[there, name]
        self.environment = environment

    def lose(self, *, is_torn: bool) -> None:
        """Let the files of all versions be gone, or all tables be torn."""
        for file in (self.root / ".assetflow" / "data").rglob("*.*"):
            if is_torn and file.suffix == ".parquet":
                os.truncate(file, file.stat().st_size - 1)
            elif not is_torn and file.is_file():
                file.unlink()
        for known in self.made.values():
            known -= {made for made in known if not is_torn or made[0] != "file"}
        self.newest.clear()


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


def edit_macro(shop: Shop, place: int, number: int) -> Shop:
    return replace(shop, factor=number)


def edit_variable(shop: Shop, place: int, number: int) -> Shop:
    return replace(shop, least=number)


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


def edit_rotated(shop: Shop, place: int, number: int) -> Shop:
    """Give each row what the one before had in one column."""
    name, rows = shop.sources[place % 2]
    columns = [list(column) for column in zip(*rows, strict=True)]
    moved = columns[number]
    columns[number] = [moved[-1], *moved[:-1]]
    return shop.with_source(name, tuple(zip(*columns, strict=True)))


def edit_swapped(shop: Shop, place: int, number: int) -> Shop:
    """Exchange the values of columns a and b in one row."""
    name, rows = shop.sources[place % 2]
    k, a, b, c = rows[number % len(rows)]
    changed = list(rows)
    changed[number % len(rows)] = (k, b, a, c)
    return shop.with_source(name, tuple(changed))


def edit_doubled(shop: Shop, place: int, number: int) -> Shop:
    """Let one row stand twice, and as many rows be there as before."""
    name, rows = shop.sources[place % 2]
    first = rows[number % len(rows)]
    return shop.with_source(name, (first, *rows[1:]))


def edit_rewired(shop: Shop, place: int, number: int) -> Shop:
    """Let an asset read others than it read."""
    one = shop.assets[place]
    names = readable(replace(shop, assets=shop.assets[:place]))
    if not one.inputs or one.template.over == "ranked":
        return shop
    if one.template.over == "source" or one.template == RANKED:
        names = list(shop.sources_by_name)
    inputs = tuple(names[(number + add) % len(names)] for add in range(len(one.inputs)))
    return shop.with_asset(place, inputs=inputs)


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


# Hows: how it is materialized first, before all is brought up to date. `place` is an asset's.


def how_plainly(journey: Journey, place: int) -> None:
    """Do nothing before."""


def how_stopped(journey: Journey, place: int) -> None:
    journey.materialize(listener=Stopping(place % 4, is_hard=False))


def how_died(journey: Journey, place: int) -> None:
    # The next command, and not this test, folds what was left.
    with suppress(Died):
        journey.materialize(listener=Stopping(place % 4, is_hard=True))


def how_selected(journey: Journey, place: int) -> None:
    one = journey.asset(place)
    journey.materialize(one.name)
    assert journey.published()[one.name] == journey.expected()[one.name]


def how_forced(journey: Journey, place: int) -> None:
    one = journey.asset(place)
    result = journey.materialize(one.name, force=True, may_run=(one.name,))
    assert one.name in [each.target.asset for each in result.steps if each.outcome in RAN]


def how_refreshed(journey: Journey, place: int) -> None:
    volatile = tuple(one.name for one in journey.shop.assets if one.template.is_volatile)
    result = journey.materialize(refresh=True, may_run=volatile)
    ran = {each.target.asset for each in result.steps if each.outcome in RAN}
    assert ran >= set(volatile)


def how_broken(journey: Journey, place: int) -> None:
    """Let one function fail: it and what is made from it stay, all else is published."""
    one = journey.asset(place)
    if not one.template.is_python:
        return
    before = journey.served(one.name)
    broken = [replace(each, is_broken=each == one) for each in journey.shop.assets]
    replace(journey.shop, assets=tuple(broken)).write(journey.root)

    result = journey.materialize()

    ended = {each.target.asset: each.outcome for each in result.steps}
    assert (result.status, ended[one.name]) == ("failed", "failed")
    assert {ended.get(name, "skipped") for name in journey.shop.below(one.name)} <= {"skipped"}
    assert journey.served(one.name) == before
    served, expected = journey.published(), journey.expected()
    for name, outcome in ended.items():
        assert outcome not in (*RAN, *TAKEN) or served[name] == expected[name]
    journey.shop.write(journey.root)


def how_lost(journey: Journey, place: int) -> None:
    journey.lose(is_torn=bool(place % 2))


def how_elsewhere(journey: Journey, place: int) -> None:
    """Bring another environment up to date first."""
    journey.go_to("elsewhere")
    journey.settle()
    journey.go_to("main")


HOWS = {name: how for name, how in globals().items() if name.startswith("how_")}
