"""The invariants with freshness: acting on policies serves nothing wrong, looking changes nothing.

A small project with policies lives on: time passes, files and an outside feed get newer
rows or only newer times, code is edited, and it is acted upon by policy or as a whole. At
each moment what is served follows from what it was made of, no data became older, and a
look has written nothing; later each moment is told as it was. To look for longer:

    ASSETFLOW_EXAMPLES=100 pytest tests/invariants/test_freshness_holds.py
"""

import os
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from assetflow import api
from tests.small_project import SmallProject

EXAMPLES = int(os.environ.get("ASSETFLOW_EXAMPLES", "0"))
START = datetime(2026, 1, 5, 12, tzinfo=UTC)
SOURCES = """
from assetflow import source

source("raw_orders", path="data/orders.csv")
source("raw_stores", path="data/stores.csv")
"""
RATES = """
import datetime as dt
from pathlib import Path

from assetflow import Freshness, asset

FEED = Path({feed!r})


@asset(event_time="at", freshness=Freshness(max_lag="4h"))
def rates() -> list[dict]:
    rate, at = FEED.read_text().split()
    return [dict(rate=int(rate), at=dt.datetime.fromtimestamp(float(at), dt.UTC))]
"""
QUERIES = {
    "orders": "select id, amount + {n} as amount from raw_orders",
    "stores": "select store from raw_stores where {n} >= 0",
    "priced": "select id, amount * rate as price from orders cross join rates where {n} >= 0",
    "revenue": "select sum(price)::bigint + {n} as revenue from priced",
    "report": "select revenue, (select count(*) from stores) + {n} as stores from revenue",
}
POLICIES = {
    "revenue": 'max_lag = "3h"',
    "report": 'max_lag = "8h", deadline = "0 18 * * *", within = "2h"',
    "stores": 'max_lag = "5h"',
}
ACTS = ("overdue", "within", "all", "one", "nothing")
EVENTS = ("orders", "note", "stores", "feed", "code", "policy")


class Living(SmallProject):
    """A project whose clock, files' times and feed are set, and what was said of it when."""

    def __init__(self, root, clock) -> None:
        self.clock = clock
        self.clock.now = START
        self.numbers = dict.fromkeys(QUERIES, 0)
        self.policies = dict(POLICIES)
        self.feed = root / "feed.txt"
        self.said: list[tuple[datetime, dict[str, tuple]]] = []
        super().__init__(root, {"shop/sources.py": SOURCES})
        self.write({"shop/rates.py": RATES.format(feed=str(self.feed))})
        self.rows = {"orders": 1, "stores": 1}
        self.notes = 0
        self.put_orders()
        self.put_stores()
        self.put_feed(2)
        for name in QUERIES:
            self.put_query(name)

    def put(self, path: str, text: str) -> None:
        self.write({path: text})
        seconds = self.clock.now.timestamp()
        os.utime(self.root / path, (seconds, seconds))

    def put_orders(self) -> None:
        rows = [f"{n},{n * 10},{self.notes}" for n in range(self.rows["orders"])]
        self.put("data/orders.csv", "\n".join(["id,amount,note", *rows, ""]))

    def put_stores(self) -> None:
        self.put("data/stores.csv", "\n".join(["store", *map(str, range(self.rows["stores"])), ""]))

    def put_feed(self, rate: int) -> None:
        self.feed.write_text(f"{rate} {self.clock.now.timestamp()}")

    def put_query(self, name: str) -> None:
        policy = f"freshness = {{ {self.policies[name]} }}" if name in self.policies else ""
        text = QUERIES[name].format(n=self.numbers[name])
        self.write({f"shop/{name}.sql": f"/* assetflow\n{policy}\n*/\n{text}\n"})

    def happen(self, event: str, number: int) -> None:
        match event:
            case "orders" | "stores":
                self.rows[event] += 1
                (self.put_orders if event == "orders" else self.put_stores)()
            case "note":
                self.notes += 1
                self.put_orders()
            case "feed":
                self.put_feed(number)
            case "code":
                name = [*QUERIES][number % len(QUERIES)]
                self.numbers[name] += 1
                self.put_query(name)
            case _:
                name = [*POLICIES][number % len(POLICIES)]
                self.policies[name] = f'max_lag = "{number + 1}h"'
                self.put_query(name)

    def act(self, how: str) -> dict[str, str]:
        options = {"overdue": {"overdue": True}, "within": {"overdue": True, "within": "2h"}}
        if how == "nothing":
            return {}
        result = self.materialize(*(["revenue"] if how == "one" else []), **options.get(how, {}))
        assert result.status == "succeeded"
        return {step.target.asset: step.outcome for step in result.steps}

    def served(self) -> dict[str, list[tuple]]:
        with api.connect(self.load()) as connection:
            views = connection.execute("select view_name from duckdb_views() where not internal")
            return {
                name: sorted(connection.execute(f"from {name}").fetchall())
                for (name,) in views.fetchall()
            }

    def follows(self) -> dict[str, list[tuple]]:
        """Return what each query gives of what is served, and of the files as they are."""
        with api.connect(self.load()) as connection:
            return {
                name: sorted(connection.execute(self.query(name)).fetchall()) for name in QUERIES
            }

    def query(self, name: str) -> str:
        found = QUERIES[name].format(n=self.numbers[name])
        for source in ("orders", "stores"):
            file = self.root / "data" / f"{source}.csv"
            found = found.replace(f"raw_{source}", f"read_csv('{file}')")
        return found

    def ages(self, **options) -> dict[str, tuple]:
        lines = api.freshness(self.load(), [*QUERIES, "rates"], **options).lines
        return {
            line.asset: (line.facts.data_time, line.facts.due_at, line.facts.status)
            for line in lines
        }

    def written(self) -> dict[str, tuple[int, int]]:
        """Return the files of the state, but for what is kept to save time."""
        found = (file for file in (self.root / ".assetflow").rglob("*") if file.is_file())
        return {
            str(file): (file.stat().st_mtime_ns, file.stat().st_size)
            for file in found
            if "cache" not in file.parts and "locks" not in file.parts
        }

    def look(self) -> dict[str, tuple]:
        """Return how old all is, and find that to look and to plan have written nothing."""
        before = self.written()
        ages = self.ages()
        api.plan(self.load(), overdue=True, within="1h")
        assert self.written() == before
        self.said.append((self.clock.now, ages))
        return ages


legs = st.tuples(
    st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 9)), max_size=2),
    st.integers(1, 6),
    st.sampled_from(ACTS),
)
TELLING = [
    ([("note", 0)], 4, "overdue"),
    ([("orders", 0), ("code", 1)], 2, "one"),
    ([("code", 3), ("feed", 3)], 5, "within"),
    ([("stores", 0), ("feed", 5)], 6, "overdue"),
    ([], 1, "nothing"),
]


class Clock:
    now = START


@settings(
    max_examples=EXAMPLES or 1,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.generate) if EXAMPLES else (Phase.explicit,),
    suppress_health_check=list(HealthCheck),
)
@given(journey=st.lists(legs, min_size=3, max_size=6))
@example(journey=TELLING)
def test_acting_on_policies_serves_nothing_wrong_and_looking_changes_nothing(
    tmp_path_factory, monkeypatch, journey
):
    clock = Clock()
    monkeypatch.setattr(api, "now", lambda: clock.now)
    living = Living(tmp_path_factory.mktemp("living"), clock)
    living.act("all")
    before, ages = living.served(), living.look()

    for events, hours, how in journey:
        clock.now += timedelta(minutes=30)
        for event, number in events:
            living.happen(event, number)
        clock.now += hours * timedelta(hours=1)
        before, ages = go(living, how, before, ages)

    check_what_was_said(living)
    living.act("all")
    assert living.follows().items() <= living.served().items()


def go(
    living: Living, how: str, before: dict[str, list], ages: dict[str, tuple]
) -> tuple[dict[str, list], dict[str, tuple]]:
    """Act, and find that what is served follows from what it was made of, and is no older."""
    ended = living.act(how)

    served, now, follows = living.served(), living.look(), living.follows()
    for name, (data_time, *_) in ages.items():
        assert now[name][0] >= data_time, f"{name} became older"
        if name in ended and name in ("orders", "stores") and how in ("overdue", "within"):
            assert now[name][0] > data_time, f"{name} was asked for in vain"
        if name not in ended:
            assert (served[name], now[name][0]) == (before[name], data_time)
        elif name in QUERIES:
            assert served[name] == follows[name], f"{name} is not what it was made of"
            assert ended[name] != "verified" or served[name] == before[name]
    if how == "overdue":
        # Data that was too old when it came is asked for once more, in vain, and rests then.
        assert living.act(how) in ({}, {"rates": "unchanged"})
    return served, now


def check_what_was_said(living: Living) -> None:
    """Find that each moment is told now as it was told then, where policies are as then."""
    for moment, said in living.said:
        told = living.ages(at=moment)
        kept = slice(None) if living.policies == POLICIES else slice(1)
        assert {name: one[kept] for name, one in told.items()} == {
            name: one[kept] for name, one in said.items()
        }
