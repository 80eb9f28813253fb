"""Journeys of partitions: a calendar is edited on and on, and what was made is held to be right.

Here are the journey itself, the edits that may befall a calendar, and the ways to
materialize it: partly, by force, with an accident.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pytest

from assetflow import api
from assetflow.execution import gathering
from assetflow.metadata.doubt import Expected, Standing, standing
from assetflow.metadata.folding import fold
from assetflow.metadata.store import Store
from assetflow.planning.plan import plan
from assetflow.planning.steps import PartitionRange, Plan, Request
from tests.invariants.calendars import (
    LAYOUTS,
    MAPPINGS,
    PLACES,
    TEMPLATES,
    Calendar,
    Contents,
    Scratch,
    published,
)
from tests.invariants.journeys import Died, Stopping

RAN = ("materialized", "unchanged")
KINDS = ("days", "days", "days", "none", "weeks", "months", "regions", "both", "named")


# Edits: what becomes of the files. `place` and `number` are drawn, whatever they mean.


def edit_number(calendar: Calendar, place: int, number: int) -> Calendar:
    return calendar.with_asset(place, number=number)


def edit_note(calendar: Calendar, place: int, number: int) -> Calendar:
    return calendar.with_asset(place, note=calendar.assets[place].note + 1)


def edit_template(calendar: Calendar, place: int, number: int) -> Calendar:
    return calendar.with_asset(place, template=TEMPLATES[(place * 5 + number) % len(TEMPLATES)])


def edit_cell(calendar: Calendar, place: int, number: int) -> Calendar:
    rows = list(calendar.rows)
    row = list(rows[place % len(rows)])
    row[2 + place % 2] = number
    rows[place % len(rows)] = tuple(row)
    return replace(calendar, rows=tuple(rows))


def edit_late(calendar: Calendar, place: int, number: int) -> Calendar:
    row = ((place * 3 + number) % 10, number % 2, place % 4, number)
    return replace(calendar, rows=(*calendar.rows, row))


def edit_gone(calendar: Calendar, place: int, number: int) -> Calendar:
    return replace(calendar, rows=calendar.rows[1:] or calendar.rows)


def edit_widened(calendar: Calendar, place: int, number: int) -> Calendar:
    scheme = calendar.assets[place].scheme
    return calendar.with_asset(place, scheme=replace(scheme, last=scheme.last + 1 + number % 2))


def edit_narrowed(calendar: Calendar, place: int, number: int) -> Calendar:
    scheme = calendar.assets[place].scheme
    return calendar.with_asset(place, scheme=replace(scheme, first=min(scheme.first + 1, 3)))


def edit_all_ranges(calendar: Calendar, place: int, number: int) -> Calendar:
    changes = {"first": number % 3, "last": 5 + place % 3}
    assets = (replace(one, scheme=replace(one.scheme, **changes)) for one in calendar.assets)
    return replace(calendar, assets=tuple(assets))


def edit_zone(calendar: Calendar, place: int, number: int) -> Calendar:
    zone = ("UTC", "Europe/Berlin")[number % 2]
    offset = ("00:00", "06:00")[place % 2]
    assets = (
        replace(one, batch=1, scheme=replace(one.scheme, timezone=zone, offset=offset))
        for one in calendar.assets
    )
    return replace(calendar, assets=tuple(assets))


def edit_scheme(calendar: Calendar, place: int, number: int) -> Calendar:
    kind = KINDS[(place + 2 * number) % len(KINDS)]
    scheme = replace(calendar.assets[place].scheme, kind=kind)
    return calendar.with_asset(place, scheme=scheme, batch=1, mapping="inferred")


def edit_whole(calendar: Calendar, place: int, number: int) -> Calendar:
    """Turn partitions of an asset off, or on."""
    scheme = calendar.assets[place].scheme
    kind = "none" if scheme.kind != "none" else "days"
    return calendar.with_asset(place, scheme=replace(scheme, kind=kind), batch=1)


def edit_mapping(calendar: Calendar, place: int, number: int) -> Calendar:
    mapping = sorted(MAPPINGS)[(place + number) % len(MAPPINGS)]
    return calendar.with_asset(place, mapping=mapping, batch=1)


def edit_batch(calendar: Calendar, place: int, number: int) -> Calendar:
    return calendar.with_asset(place, batch=1 + number)


def edit_event_time(calendar: Calendar, place: int, number: int) -> Calendar:
    return replace(calendar, has_event_time=not calendar.has_event_time)


def edit_layout(calendar: Calendar, place: int, number: int) -> Calendar:
    layouts = tuple(LAYOUTS)
    at = layouts.index(calendar.layout)
    return replace(calendar, layout=layouts[(at + 1 + number) % len(layouts)])


def edit_places(calendar: Calendar, place: int, number: int) -> Calendar:
    """Add a dynamic key, or remove one."""
    one = PLACES[(place + number) % len(PLACES)]
    if one not in calendar.places:
        return replace(calendar, places=(*calendar.places, one))
    left = tuple(each for each in calendar.places if each != one)
    return replace(calendar, places=left or (one,))


def edit_keyed(calendar: Calendar, place: int, number: int) -> Calendar:
    return calendar.with_asset(place, keyed=not calendar.assets[place].keyed)


def edit_removed(calendar: Calendar, place: int, number: int) -> Calendar:
    one = calendar.assets[place]
    if calendar.readers(one.name) or len(calendar.assets) == 1:
        return calendar
    return replace(calendar, assets=tuple(each for each in calendar.assets if each != one))


def edit_renamed(calendar: Calendar, place: int, number: int) -> Calendar:
    old = calendar.assets[place].name
    new = f"{old}_{number}"
    if new in calendar.by_name:
        return calendar
    calendar = calendar.with_asset(place, name=new, renamed_from=old)
    assets = (replace(one, reads=new) if one.reads == old else one for one in calendar.assets)
    return replace(calendar, assets=tuple(assets))


EDITS = {name: edit for name, edit in globals().items() if name.startswith("edit_")}


@dataclass(frozen=True)
class Leg:
    """One part of a journey: what became of the files, and how it is materialized first."""

    edit: str
    calendar: Calendar
    how: str
    place: int

    def _repr_pretty_(self, printer: object, cycle: object) -> None:
        printer.text(f"{self.edit}, {self.how} {self.place}: {self.calendar}")


@dataclass
class Journey:
    """A project in `root`, edited on and on, and what was made in it from what."""

    root: Path
    scratch: Scratch
    calendar: Calendar | None = None
    made: set[tuple[str, str, object]] = field(default_factory=set)
    runs_known: set[str] = field(default_factory=set)

    def edit(self, calendar: Calendar) -> None:
        self.calendar = calendar
        calendar.write(self.root)
        self.compare_plans(Request())

    def materialize(self, **options: object):
        result = api.materialize(api.load(self.root), **options)
        self.check_keys(may_run=bool(options.get("force")))
        return result

    def settle(self) -> None:
        """Materialize everything, and hold it against a clean project."""
        result = self.materialize()

        assert result.status == "succeeded", [step.error for step in result.steps if step.error]
        wanted = self.scratch.contents(self.calendar)
        assert published(self.root) == wanted
        check_tables(self.root, wanted, {one.name for one in self.calendar.assets if one.is_keyed})
        identities = self.calendar.identities(wanted)
        for step in result.steps:
            one = (*step.target, identities.get((step.target.asset, step.target.partition)))
            assert step.outcome not in RAN or one not in self.made, f"{step.target} ran again"
        self.made |= {(*target, identity) for target, identity in identities.items()}
        assert api.materialize(api.load(self.root)).steps == ()

    def check_keys(self, *, may_run: bool) -> None:
        """Look into the store: nothing ran whose key had been made before."""
        state = self.root / ".assetflow"
        fold(state, api.now())
        with Store(state).reading() as connection:
            again = connection.execute(
                """select asset, partition, run from materializations as m
                   where outcome in ('materialized', 'unchanged') and exists (
                       from materializations as e
                       where (e.asset, e.partition, e.key) = (m.asset, m.partition, m.key)
                         and e.number < m.number)"""
            ).fetchall()
        new = [one for one in again if one[2] not in self.runs_known]
        self.runs_known |= {one[2] for one in again}
        assert may_run or not new

    def compare_plans(self, request: Request) -> None:
        """Hold the plan over what is in doubt against the plan over everything."""
        project = api.load(self.root)
        assert told(planned(project, request)) == told(planned(project, request, everything))


def planned(project: api.Project, request: Request, way=standing) -> Plan:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gathering, "standing", way)
        return plan(api.gathered(project, request).known(), request)


def check_tables(root: Path, contents: Contents, keyed: Collection[str]) -> None:
    """Hold what readers see as one table against its partitions, key column and all."""
    catalog = duckdb.connect(str(root / ".assetflow/catalog.duckdb"), read_only=True)
    with api.connect(api.load(root)) as connection, catalog:
        for name, parts in contents.items():
            columns = ", ".join(dict.fromkeys(one for names, _ in parts.values() for one in names))
            rows = sorted((row for _, part in parts.values() for row in part), key=repr)
            query = f'select {columns} from "{name}"'
            for reader in (connection, catalog):
                assert sorted(reader.execute(query).fetchall(), key=repr) == rows
            if name in keyed:
                found = connection.execute(f'select made_for, {columns} from "{name}"').fetchall()
                told = {(key, *row) for key, (_, part) in parts.items() for row in part}
                assert set(found) == told


def everything(
    state: Path, environment: str, expected: Sequence[Expected], states: object
) -> Standing:
    """Return as `standing` does, but with every partition in doubt."""
    found = standing(state, environment, expected, states)
    return replace(found, doubtful={one.asset: tuple(one.keys) for one in expected})


def told(made: Plan) -> object:
    steps = [(step.target, step.action, step.reasons, step.waits_on) for step in made.steps]
    return steps, made.up_to_date, made.notes, made.left


def go(journey: Journey, how: str, place: int) -> None:
    """Materialize in some other way first: partly, by force, with an accident."""
    calendar = journey.calendar
    one = calendar.assets[place % len(calendar.assets)]
    keys = calendar.keys(one.name)
    key = keys[place % len(keys)]
    match how:
        case "stopped":
            journey.materialize(listener=Stopping(place % 7, is_hard=False))
        case "died":
            try:
                journey.materialize(listener=Stopping(place % 7, is_hard=True))
            except Died:
                journey.check_keys(may_run=False)
        case "slices" if one.scheme.kind != "none":
            other = (
                key
                if one.scheme.kind == "both"
                else keys[min(place % len(keys) + 1, len(keys) - 1)]
            )
            ranges = (PartitionRange(key, other),)
            journey.compare_plans(Request(partitions=ranges))
            journey.compare_plans(Request(frozenset({one.name}), partitions=ranges))
            journey.materialize(select=[one.name], partitions=[str(ranges[0])])
        case "forced" if one.scheme.kind != "none":
            asked = {"select": [one.name], "partitions": [key], "force": True}
            result = journey.materialize(**asked)
            ran = {step.target.partition for step in result.steps if step.target.asset == one.name}
            assert ran == {key}
        case "capped":
            journey.compare_plans(Request(max_partitions=2))
            journey.materialize(max_partitions=2)
        case "broken" if one.is_python and one.scheme.kind != "none":
            break_and_mend(journey, place % len(calendar.assets), key)
    journey.compare_plans(Request())


def break_and_mend(journey: Journey, place: int, key: str) -> None:
    """Let one partition fail: it alone, and what is made from it, is not published."""
    calendar = journey.calendar
    name = calendar.assets[place].name
    before = published(journey.root).get(name, {})
    calendar.with_asset(place, broken_at=key).write(journey.root)

    result = journey.materialize()

    ended = {step.target: step.outcome for step in result.steps if step.target.asset == name}
    failed = {target.partition for target, outcome in ended.items() if outcome == "failed"}
    assert failed == {key}
    assert calendar.assets[place].batch == 1 or "skipped" not in ended.values()
    assert result.status == "failed"
    after = published(journey.root).get(name, {})
    assert {each: after.get(each) for each in failed} == {each: before.get(each) for each in failed}
    calendar.write(journey.root)
