"""How old data is: from files, columns and runs, through what is made of them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assetflow import api
from assetflow.errors import BadOptionValue, NaiveEventTime, NeedsOption, TwoChoices, UnknownTable
from assetflow.execution import timing
from assetflow.warehouse import event_times
from tests.small_project import SmallProject

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICY = '/* assetflow\nfreshness = { max_lag = "6h", warn_lag = "5h" }\n*/\n'
SOURCES = """
from assetflow import source

source("raw_orders", path="data/orders.csv", owners=["team:shop"])
source("raw_stores", path="data/stores.csv", static=True)
"""


class Shop(SmallProject):
    """A small project whose clock and files' times are set."""

    def __init__(self, root: Path, monkeypatch) -> None:
        self.now = NOON
        monkeypatch.setattr(api, "now", lambda: self.now)
        super().__init__(
            root,
            {
                "data/orders.csv": "id,amount,store,note\n1,10,1,a\n2,20,1,b\n",
                "data/stores.csv": "store,city\n1,Rome\n",
                "shop/sources.py": SOURCES,
                "shop/orders.sql": "select id, amount, store from raw_orders",
                "shop/revenue.sql": f"{POLICY}select sum(amount) as amount from orders",
            },
        )
        self.touch("data/orders.csv", NOON - HOUR)
        self.touch("data/stores.csv", NOON - 1000 * HOUR)

    def touch(self, path: str, at: datetime) -> None:
        os.utime(self.root / path, (at.timestamp(), at.timestamp()))

    def put(self, path: str, text: str, at: datetime) -> None:
        self.write({path: text})
        self.touch(path, at)

    def later(self, hours: float) -> None:
        self.now += hours * HOUR

    def line(self, name: str, **options):
        page = api.freshness(self.load(), [name], **options)
        (found,) = page.lines
        return found

    def lag(self, name: str, **options) -> float | None:
        seconds = self.line(name, **options).facts.lag_seconds
        return None if seconds is None else round(seconds / 3600, 3)

    def freshness(self, *select: str, **options) -> dict[str, str]:
        page = api.freshness(self.load(), select, **options)
        return {line.asset: line.facts.status for line in page.lines}

    def planned(self, *select: str, **options) -> dict[str, list[str]]:
        made = api.plan(self.load(), select, overdue=True, **options)
        return {str(step.target): [reason.code for reason in step.reasons] for step in made.steps}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    return Shop(tmp_path, monkeypatch)


def test_data_is_as_old_as_the_files_that_it_is_made_from_however_often_it_is_made(shop):
    shop.materialize()
    shop.later(2)
    shop.materialize(force=True)

    line = shop.line("revenue")

    assert line.facts.data_time == NOON - HOUR
    assert (line.facts.lag_seconds, line.facts.allowed_seconds) == (3 * 3600, 6 * 3600)
    assert line.bottleneck.path == ("raw_orders", "orders", "revenue")


def test_states_follow_the_clock(shop):
    shop.materialize()

    seen = []
    for _ in range(4):
        seen.append(shop.freshness("revenue")["revenue"])
        shop.later(2.4)

    assert seen == ["fresh", "fresh", "due_soon", "overdue"]


def test_what_was_never_made_is_unknown(shop):
    line = shop.line("revenue")

    assert line.facts.status == "unknown"
    assert line.notes == ("never materialized",)


def test_only_assets_and_sources_with_a_policy_are_told_unless_others_are_selected(shop):
    shop.materialize()

    assert shop.freshness() == {"revenue": "fresh", "orders": "no_policy"}
    assert shop.freshness("raw_orders") == {"raw_orders": "no_policy"}
    assert shop.freshness(exclude=["orders"]) == {"revenue": "fresh"}


def test_a_newer_file_can_help_and_only_running_does(shop):
    shop.materialize()
    shop.later(8)
    held = shop.line("revenue").bottleneck

    assert not held.run_helps
    assert held.text == (
        "'raw_orders' has no newer file: running will not help; its owner is team:shop"
    )
    shop.put("data/orders.csv", "id,amount,store,note\n1,11,1,a\n", shop.now - HOUR)

    assert shop.line("revenue").facts.status == "overdue"
    assert shop.line("revenue").bottleneck.run_helps

    shop.materialize()

    assert shop.lag("revenue") == 1


def test_a_column_that_nobody_reads_renews_what_is_made_from_the_rest(shop):
    shop.materialize()
    shop.later(8)
    shop.put("data/orders.csv", "id,amount,store,note\n1,10,1,x\n2,20,1,y\n", shop.now - HOUR)

    assert shop.outcomes() == {"orders": "verified"}
    assert shop.lag("orders") == shop.lag("revenue") == 1


def test_an_event_time_says_how_old_a_source_is(shop):
    rows = "id,amount,store,note,sold\n1,10,1,a,2026-01-10 04:00:00\n2,2,1,a,2026-01-09 04:00:00\n"
    shop.put("data/orders.csv", rows, NOON)
    shop.write(
        {
            "shop/sources.py": SOURCES.replace(
                ", owners", ', event_time="sold", timezone="Europe/Berlin", owners'
            )
        }
    )
    before = shop.lag("raw_orders")
    shop.materialize()

    assert before == shop.lag("raw_orders") == shop.lag("revenue") == 9


def test_an_event_time_of_the_future_counts_as_now_and_is_said(shop):
    rows = "id,amount,store,note,sold\n1,10,1,a,2027-01-10 04:00:00\n"
    shop.put("data/orders.csv", rows, NOON)
    shop.write(
        {
            "shop/sources.py": SOURCES.replace(
                ", owners", ', event_time="sold", timezone="UTC", owners'
            )
        }
    )
    shop.materialize()

    line = shop.line("revenue")

    assert line.facts.lag_seconds == 0
    assert line.notes == (
        "'raw_orders' has data of the future (2027-01-10 04:00 UTC): it counts as of now",
    )


def test_times_without_a_zone_need_one_where_a_policy_asks_for_their_age(shop):
    rows = "id,amount,store,note,sold\n1,10,1,a,2026-01-10 04:00:00\n"
    shop.put("data/orders.csv", rows, NOON)
    shop.write({"shop/sources.py": SOURCES.replace(", owners", ', event_time="sold", owners')})
    shop.materialize()

    with pytest.raises(NaiveEventTime, match="'sold' of 'raw_orders'"):
        shop.freshness()
    assert shop.freshness("orders") == {"orders": "no_policy"}
    shop.write({"assetflow.toml": 'package = "shop"\ntimezone = "Asia/Tokyo"\n'})

    assert shop.lag("revenue") == 17


def test_static_data_does_not_age(shop):
    shop.write({"shop/cities.sql": f"{POLICY}select distinct city from raw_stores"})
    shop.write(
        {"shop/sold.sql": f"{POLICY}select city, amount from orders join raw_stores using (store)"}
    )
    shop.materialize()
    shop.later(1000)

    assert shop.freshness("cities", "sold") == {"cities": "fresh", "sold": "overdue"}
    assert shop.line("cities").facts.data_time is None


def test_a_look_renews_a_source_only_where_it_is_assumed_to_be_complete(shop):
    shop.write({"shop/sources.py": SOURCES.replace(", owners", ", assume_complete=True, owners")})
    shop.materialize()
    shop.later(20)

    assert shop.lag("revenue") == 0
    assert shop.lag("revenue", at=NOON + 5 * HOUR) == 5


RATES = """
import datetime as dt
from assetflow import asset, Freshness


@asset(freshness=Freshness(max_lag="6h"){options})
def rates() -> list[dict]:
    return [{{"rate": 2, "at": dt.datetime(2026, 1, 10, 9, tzinfo=dt.UTC)}}]


@asset(freshness=Freshness(max_lag="8h"))
def prices(rates, orders) -> list[dict]:
    return rates.to_pylist()
"""


def test_a_volatile_asset_is_as_recent_as_its_run_also_where_that_gave_the_same(shop):
    shop.write({"shop/rates.py": RATES.format(options="")})
    shop.materialize()
    shop.later(5)

    assert shop.outcomes("rates", refresh=True) == {"rates": "unchanged"}
    shop.later(1)

    assert shop.lag("rates") == pytest.approx(1, abs=0.01)
    assert shop.line("prices").bottleneck.path == ("raw_orders", "orders", "prices")


def test_a_volatile_asset_with_an_event_time_is_as_recent_as_that(shop):
    shop.write({"shop/rates.py": RATES.format(options=', event_time="at"')})
    shop.materialize()

    assert shop.lag("rates") == shop.lag("prices") == 3
    shop.later(5)
    shop.materialize("rates", refresh=True)

    assert shop.lag("rates") == 8


def test_what_gave_nothing_newer_rests_before_it_is_asked_again(shop):
    shop.write({"shop/rates.py": RATES.format(options=', event_time="at"')})
    shop.materialize()
    shop.later(7)
    asked = []
    for _ in range(4):
        asked.append(list(shop.planned("rates")))
        shop.materialize("rates", overdue=True)
        shop.later(1 / 60)

    assert asked == [["rates"], ["rates"], [], ["rates"]]
    told = [shop.line("rates", at=shop.now - n * HOUR / 60).bottleneck.text for n in (0, 2, 5)]
    assert told == [
        "'rates' gave nothing new: it is asked again at 2026-01-10 19:07 UTC",
        "'rates' gave nothing new: it is asked again at 2026-01-10 19:03 UTC",
        "'rates' can be run again",
    ]


def test_what_was_rejected_of_the_same_is_not_told_to_run_again(shop):
    shop.write(
        {
            "shop/revenue.sql": POLICY.replace("*/", "checks = [{ row_count = { min = 2 } }]\n*/")
            + "select sum(amount) as amount from orders group by store",
            "shop/report.sql": f"{POLICY}select amount from revenue",
        }
    )
    shop.put("data/orders.csv", "id,amount,store,note\n1,10,1,a\n2,20,2,b\n", NOON)
    shop.materialize()
    shop.later(7)
    shop.put("data/orders.csv", "id,amount,store,note\n1,10,1,a\n", shop.now)
    before = shop.line("revenue").bottleneck

    assert shop.outcomes()["revenue"] == "rejected"
    after, below = (shop.line(name).bottleneck for name in ("revenue", "report"))

    assert (before.run_helps, after.run_helps, below.run_helps) == (True, False, False)
    assert after.text == below.text
    assert after.text == (
        "'revenue' was made of the newest data, and rejected by its checks:"
        " see `assetflow check revenue` and `assetflow repair revenue`"
    )
    assert (after.blamed, below.blamed) == (("revenue",), ("revenue", "report"))
    assert set(shop.outcomes(overdue=True).values()) <= {"rejected", "skipped"}
    shop.later(1)
    shop.put("data/orders.csv", "id,amount,store,note\n1,10,1,a\n2,25,2,b\n", shop.now)
    assert shop.line("revenue").bottleneck.run_helps
    assert shop.outcomes()["revenue"] == "materialized"
    assert shop.freshness("revenue", "report") == {"revenue": "fresh", "report": "fresh"}


def test_a_root_that_was_just_run_is_not_what_holds_back(shop):
    mart = f"{POLICY}select rate * 2 as twice from rates"
    shop.write({"shop/rates.py": RATES.format(options=""), "shop/mart.sql": mart})
    shop.materialize()
    shop.later(7)
    shop.write({"shop/rates.py": RATES.format(options="").replace('"rate": 2', '"rate": 3')})
    before = shop.line("mart").bottleneck
    shop.materialize("rates", refresh=True)

    after = shop.line("mart").bottleneck

    assert list(shop.planned("mart")) == ["mart"]
    assert (before.text, before.blamed) == ("'rates' can be run again", ("rates", "mart"))
    assert after.text == (
        "'mart' was not made again since 'rates' has newer data: running will help"
    )
    assert (after.path, after.blamed) == (("rates", "mart"), ("mart",))


def test_what_is_needed_soon_rests_no_longer_than_half_of_what_is_left(shop):
    shop.write({"shop/rates.py": RATES.format(options=', event_time="at"')})
    shop.materialize()
    shop.now = datetime(2026, 1, 10, 16, 52, tzinfo=UTC)
    for minutes in (1, 2, 1):
        assert list(shop.planned("rates")) == ["rates"]
        shop.materialize("rates", overdue=True)
        shop.later(minutes / 60)

    text = shop.line("rates").bottleneck.text

    assert text == "'rates' gave nothing new: it is asked again at 2026-01-10 16:57 UTC"


def test_an_event_time_that_is_declared_later_counts_also_where_a_run_gives_the_same(shop):
    shop.write({"shop/rates.py": RATES.format(options="")})
    shop.materialize()
    shop.later(1)
    shop.write({"shop/rates.py": RATES.format(options=', event_time="at"')})

    assert shop.outcomes("rates", refresh=True) == {"rates": "unchanged"}
    assert shop.lag("rates") == 4


@pytest.mark.parametrize("year", ["0001", "1890", "9999"])
def test_event_times_at_the_ends_of_the_calendar_break_nothing(shop, year):
    rows = f"id,amount,store,note,sold\n1,10,1,a,{year}-01-01 00:00:00\n"
    shop.put("data/orders.csv", rows, NOON)
    timed = ', event_time="sold", timezone="Asia/Tokyo", owners'
    shop.write({"shop/sources.py": SOURCES.replace(", owners", timed)})
    policy = 'max_lag = "36525d", deadline = "0 3 * * *", within = "9d", timezone = "Europe/Rome"'
    revenue = f"/* assetflow\nfreshness = {{ {policy} }}\n*/\nselect sum(amount) as n from orders"
    shop.write({"shop/revenue.sql": revenue})
    shop.materialize()

    assert shop.freshness("revenue") == {"revenue": "fresh" if year == "9999" else "overdue"}


DAILY = """/* assetflow
partitions = { daily = { start = "2026-01-05" } }
freshness = { max_lag = "2d" }
*/
"""
DAYS = """
from assetflow import source

source("raw", path="data/raw/{day}.csv")
"""
RAW = '/* assetflow\ngroup = "raw"\n*/\n'
OUT = '/* assetflow\ngroup = "raw"\nfreshness = "none"\n*/\n'


def test_the_newest_partition_that_should_exist_says_how_old_an_asset_is(shop):
    shop.write({"shop/sources.py": DAYS})
    for name in ("orders.sql", "revenue.sql"):
        (shop.root / "shop" / name).unlink()
    shop.write(
        {
            "shop/days.sql": f"{DAILY}select * from raw",
            "shop/total.sql": f"{POLICY}select count(*) as n from days",
        }
    )
    for day in (5, 6, 7, 8):
        shop.put(f"data/raw/2026-01-0{day}.csv", f"id\n{day}\n", NOON - (10 - day) * 24 * HOUR)
    shop.materialize()
    assert (shop.lag("days"), shop.lag("total")) == (48, 48)

    shop.put("data/raw/2026-01-06.csv", "id\n66\n", NOON)
    shop.materialize()

    assert (shop.lag("days"), shop.lag("total")) == (48, 48)

    shop.put("data/raw/2026-01-09.csv", "id\n9\n", NOON)
    shop.materialize()

    assert (shop.lag("days"), shop.lag("total")) == (0, 0)


def data_times(shop: Shop, name: str) -> list[datetime]:
    points = api.freshness_history(shop.load(), name).points
    return [point.data_time for point in points if point.data_time]


NAMED = 'from assetflow import source, daily\nsource("raw", path="data/raw/{day}.csv"OPTIONS)\n'


@pytest.fixture(params=["", ', partitions=daily("2026-01-05")'], ids=["found", "declared"])
def days(request, shop):
    for name in ("orders.sql", "revenue.sql"):
        (shop.root / "shop" / name).unlink()
    shop.write(
        {
            "shop/sources.py": NAMED.replace("OPTIONS", request.param),
            "shop/total.sql": f"{POLICY}select count(*) as n from raw",
        }
    )
    for day in (5, 6, 7, 8):
        shop.put(f"data/raw/2026-01-0{day}.csv", f"id\n{day}\n", NOON - (10 - day) * 24 * HOUR)
    shop.materialize()
    return shop


def test_what_is_gone_from_a_source_does_not_count_for_its_age(days):
    assert days.lag("raw") == 48
    (days.root / "data/raw/2026-01-08.csv").unlink()

    assert days.lag("raw") == 72


def test_the_history_of_a_source_goes_by_its_newest_partition(days):
    days.later(1)
    days.put("data/raw/2026-01-06.csv", "id\n7\n", days.now)
    days.materialize()
    days.later(1)

    assert data_times(days, "raw") == [NOON - 48 * HOUR]
    assert days.line("raw").facts.data_time == NOON - 48 * HOUR


def test_a_source_that_went_back_has_a_history_that_does_so(shop):
    orders = (shop.root / "data/orders.csv").read_text()
    shop.materialize()
    shop.later(1)
    shop.put("data/orders.csv", "id,amount,store,note\n1,11,1,a\n", shop.now)
    shop.materialize()
    shop.later(1)
    shop.put("data/orders.csv", orders, NOON - HOUR)
    shop.materialize()

    assert data_times(shop, "raw_orders") == [NOON - HOUR, NOON + HOUR, NOON - HOUR]
    assert shop.line("raw_orders").facts.data_time == NOON - HOUR


def test_the_history_of_what_never_ages_is_fresh_throughout(shop):
    shop.write({"shop/cities.sql": f"{POLICY}select distinct city from raw_stores"})
    shop.materialize()
    shop.later(9)

    for name, share in (("cities", 1.0), ("raw_stores", None)):
        told = api.freshness_history(shop.load(), name)
        assert [point.is_ageless for point in told.points] == [False, True]
        assert told.share_fresh == share


@pytest.mark.parametrize("at", [datetime(1, 1, 1), datetime.max.replace(tzinfo=UTC)])  # noqa: DTZ001
def test_a_moment_at_the_ends_of_the_calendar_is_refused(shop, at):
    with pytest.raises(BadOptionValue, match="--at"):
        api.freshness(shop.load(), at=at)


def test_a_moment_to_come_is_told_as_if_nothing_happened_until_then(shop):
    shop.materialize()

    assert shop.freshness("revenue", at=NOON + 6 * HOUR) == {"revenue": "overdue"}


def test_a_source_that_was_not_seen_then_is_told_so(shop):
    shop.materialize()

    line = shop.line("raw_orders", at=NOON - HOUR)

    assert (line.notes, line.bottleneck) == (("never seen",), None)


def test_a_source_without_any_time_is_told_so(shop):
    shop.put("data/orders.csv", "id,amount,store,note,sold\n1,10,1,a,\n", NOON)
    timed = ', event_time="sold", timezone="UTC", owners'
    shop.write({"shop/sources.py": SOURCES.replace(", owners", timed)})
    shop.materialize()

    line = shop.line("revenue")

    assert line.facts.status == "unknown"
    assert line.bottleneck.text == "there is no telling how old 'raw_orders' is"


def test_the_past_can_be_asked_and_nothing_is_written(shop):
    shop.materialize()
    shop.later(10)
    shop.put("data/orders.csv", "id,amount,store,note\n1,11,1,a\n", shop.now)
    shop.materialize()
    before = {
        path: path.stat().st_mtime_ns
        for path in shop.root.rglob(".assetflow/**/*.*")
        if "cache" not in str(path)
    }

    assert shop.lag("revenue", at=NOON + 9 * HOUR) == 10
    assert shop.freshness("revenue", at=NOON - HOUR) == {"revenue": "unknown"}
    assert shop.lag("revenue") == 0
    assert shop.materialize().steps == ()
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_history_tells_how_often_data_was_fresh(shop):
    shop.write(
        {
            "shop/revenue.sql": POLICY.replace("} ", ", slo = 0.75 } ").replace(
                '"5h" }', '"5h", slo = 0.75 }'
            )
            + "select sum(amount) as amount from orders"
        }
    )
    shop.materialize()
    shop.later(10)
    shop.put("data/orders.csv", "id,amount,store,note\n1,11,1,a\n", shop.now)
    shop.materialize()
    shop.later(10)

    told = api.freshness_history(shop.load(), "revenue")

    assert [point.data_time for point in told.points if point.data_time] == [
        NOON - HOUR,
        NOON + 10 * HOUR,
    ]
    assert told.share_fresh == pytest.approx(11 / 20)
    assert told.budget_seconds == pytest.approx(5 * 3600)
    assert told.budget_left_seconds == pytest.approx(-4 * 3600)
    assert any(seconds for seconds in shop.line("revenue").trend)


def test_a_history_of_nothing_is_an_error_and_of_what_was_never_made_empty(shop):
    with pytest.raises(UnknownTable):
        api.freshness_history(shop.load(), "revenues")
    assert api.freshness_history(shop.load(), "revenue").points == ()


def test_a_source_has_a_history_of_what_was_seen_of_it(shop):
    shop.materialize()
    shop.later(10)
    shop.put("data/orders.csv", "id,amount,store,note\n1,11,1,a\n", shop.now - HOUR)
    shop.materialize()

    assert data_times(shop, "raw_orders") == [NOON - HOUR, NOON + 9 * HOUR]


def test_a_source_can_be_silent_while_its_loads_succeed(shop):
    shop.write(
        {
            "shop/sources.py": SOURCES.replace(
                '.csv", owners', '.csv", freshness=Freshness(max_lag="3h"), owners'
            ).replace("import source", "import Freshness, source")
        }
    )
    for _ in range(3):
        shop.materialize(force=True)
        shop.later(1)

    assert shop.freshness() == {"raw_orders": "overdue", "revenue": "fresh", "orders": "no_policy"}


def test_a_source_that_is_gone_is_said(shop):
    shop.materialize()
    shop.later(7)
    (shop.root / "data/orders.csv").unlink()

    line = shop.line("revenue")

    assert line.facts.status == "overdue"
    assert "'raw_orders' cannot be observed" in line.notes[0]


def test_status_and_its_selection_know_what_is_overdue(shop):
    shop.materialize()
    shop.later(7)

    assert {one.asset: one.freshness for one in api.status(shop.load())} == {
        "orders": "no_policy",
        "revenue": "overdue",
    }
    assert shop.freshness("status:overdue") == {"revenue": "overdue"}


ANSWERS = """
from pathlib import Path

from assetflow import Freshness, asset, source

HERE = Path(__file__).parent


def version():
    with (HERE / "asked.txt").open("a") as asked:
        asked.write("x")
    return (HERE / "version.txt").read_text()


source("queue", observe=version, freshness=Freshness(max_lag="6h"))


@asset(freshness=Freshness(max_lag="6h"))
def messages(queue: str) -> list[dict]:
    return [{"id": 1}]
"""


@pytest.fixture
def queue(shop):
    shop.write({"shop/queue.py": ANSWERS, "shop/version.txt": "1", "shop/asked.txt": ""})
    shop.asks = lambda: len((shop.root / "shop/asked.txt").read_text())
    return shop


def test_a_source_is_observed_once_for_its_state_and_its_age(queue):
    queue.materialize()
    for look in (api.status, lambda project: api.show(project, "messages")):
        before = queue.asks()
        look(queue.load())

        assert queue.asks() == before + 1


def test_a_source_that_gave_nothing_new_is_asked_later_each_time(queue):
    queue.materialize()
    begun, asked = queue.asks(), []
    for _ in range(60):
        queue.freshness("messages")
        asked.append(queue.asks() - begun)
        queue.later(1 / 60)

    minutes = [minute for minute in range(1, 60) if asked[minute] > asked[minute - 1]]
    assert minutes == [1, 3, 7, 15, 31, 49]
    assert queue.line("queue").bottleneck.text == (
        "'queue' has no newer answer: running will not help;"
        " it is asked again at 2026-01-10 13:07 UTC"
    )


def test_a_source_that_rests_is_told_as_it_was_and_asked_by_a_run(queue):
    queue.materialize()
    queue.later(7)
    queue.freshness("messages")
    queue.write({"shop/version.txt": "2"})

    assert queue.lag("queue") == 7
    assert queue.outcomes("messages") == {"messages": "unchanged"}
    assert queue.lag("queue") == queue.lag("messages") == 0


def test_a_new_answer_is_as_old_as_the_first_look_that_saw_it(queue):
    queue.materialize()
    queue.later(1)
    queue.write({"shop/version.txt": "2"})
    assert queue.lag("queue") == 0
    queue.later(1)

    assert queue.lag("queue") == 1
    assert queue.line("messages").bottleneck.run_helps

    queue.later(-10)
    before = queue.asks()
    queue.freshness("queue")

    assert queue.asks() == before + 1


def test_an_event_time_that_a_look_found_is_not_scanned_again_by_the_run(shop, monkeypatch):
    shop.materialize()
    rows = "id,amount,store,note,sold\n1,10,1,a,2026-01-10 04:00:00\n"
    shop.put("data/orders.csv", rows, NOON)
    timed = ', event_time="sold", timezone="UTC", owners'
    shop.write({"shop/sources.py": SOURCES.replace(", owners", timed)})
    scanned = []

    def newest_time(*arguments):
        scanned.append(arguments)
        return event_times.newest_time(*arguments)

    monkeypatch.setattr(timing, "newest_time", newest_time)

    assert (shop.lag("raw_orders"), shop.lag("raw_orders")) == (8, 8)
    shop.materialize()
    assert shop.lag("revenue") == 8
    shop.touch("data/orders.csv", NOON + HOUR)
    assert shop.lag("revenue") == 8
    assert len(scanned) == 1


def test_what_looks_kept_may_be_broken_or_gone(queue):
    queue.materialize()
    queue.freshness("messages")
    (queue.root / ".assetflow/cache/looks.json").write_text("{")
    before = queue.asks()

    assert queue.freshness("messages") == {"messages": "fresh"}
    assert queue.asks() == before + 1


def test_a_source_that_nobody_reads_has_an_age_on_its_page(shop):
    alone = 'from assetflow import *\nsource("alone", path="a.csv", freshness=Freshness("1h"))\n'
    shop.write({"shop/alone.py": alone})
    shop.put("a.csv", "id\n1\n", NOON - 2 * HOUR)

    assert api.show(shop.load(), "alone").freshness.facts.status == "overdue"


def test_the_page_of_an_asset_says_how_it_stands_against_its_policy(shop):
    shop.materialize()
    shop.later(7)

    page = api.show(shop.load(), "revenue")

    assert page.status.freshness == page.freshness.facts.status == "overdue"
    assert page.freshness.stated.origin == "itself"
    assert api.show(shop.load(), "orders").freshness is None


def test_a_policy_can_hold_for_a_group(shop):
    shop.write({"assetflow.toml": 'package = "shop"\n[freshness.groups.raw]\nmax_lag = "30m"\n'})
    shop.write({"shop/orders.sql": f"{RAW}select id, amount, store from raw_orders"})
    shop.materialize()

    assert shop.freshness() == {"orders": "overdue", "revenue": "fresh"}
    assert shop.line("orders").stated.origin == "group raw"

    shop.write({"shop/orders.sql": f"{OUT}select id, amount, store from raw_orders"})

    assert shop.freshness() == {"orders": "no_policy", "revenue": "fresh"}
    assert shop.outcomes() == {}


def test_the_least_that_is_overdue_is_made_and_says_for_whom(shop):
    shop.write({"shop/rates.py": RATES.format(options="")})
    shop.write({"shop/others.sql": "select * from raw_stores"})
    shop.materialize()
    assert shop.planned() == {}
    shop.later(5.5)
    shop.put("data/orders.csv", "id,amount,store,note\n1,11,1,a\n", shop.now)
    shop.later(1)
    shop.write({"shop/others.sql": "select store from raw_stores"})

    assert shop.planned() == {
        "orders": ["input_changed", "overdue"],
        "rates": ["overdue"],
        "revenue": ["overdue", "upstream_may_change"],
    }
    made = api.plan(shop.load(), overdue=True)
    asked = {r.asset for step in made.steps for r in step.reasons if r.code == "overdue"}
    assert asked == {"rates", "revenue"}
    result = api.materialize(shop.load(), overdue=True)
    assert [
        (step.target.asset, step.outcome) for step in result.steps if step.target.asset != "rates"
    ] == [
        ("orders", "materialized"),
        ("revenue", "materialized"),
    ]
    assert shop.freshness("revenue", "rates") == {"revenue": "fresh", "rates": "fresh"}


def test_a_look_ahead_takes_what_will_be_too_old(shop):
    shop.write({"shop/rates.py": RATES.format(options="")})
    shop.materialize()
    shop.later(5.5)

    assert shop.planned("rates", within="15m") == {}
    assert shop.planned("rates", within="45m") == {"rates": ["overdue"]}
    (step,) = api.plan(shop.load(), ["rates"], overdue=True, within="45m").steps
    assert str(step.reasons[0]) == "'rates' is due at 2026-01-10 17:59 UTC (at most 6h old)"


def test_what_no_run_brings_back_is_not_run_in_vain(shop):
    shop.materialize()
    shop.later(8)

    made = api.plan(shop.load(), overdue=True)
    result = shop.materialize(overdue=True)

    assert made.steps == result.steps == ()
    assert (
        made.notes
        == result.notes
        == (
            (
                "revenue",
                "'raw_orders' has no newer file: running will not help; its owner is team:shop",
            ),
        )
    )


@pytest.mark.parametrize(
    "other", [{"force": True}, {"only": True}, {"latest": True}, {"refresh": True}]
)
def test_what_is_overdue_is_chosen_by_nothing_else(shop, other):
    with pytest.raises(TwoChoices):
        api.plan(shop.load(), overdue=True, **other)


def test_a_policy_that_cannot_be_kept_is_found(shop):
    slow = "import time\nfrom assetflow import asset, Freshness\n"
    shop.write(
        {
            "shop/slow.py": f"""{slow}

@asset(freshness=Freshness(max_lag=0.01))
def slow(orders) -> list[dict]:
    time.sleep(0.02)
    return orders.to_pylist()
"""
        }
    )
    shop.materialize()

    (found,) = [one for one in api.doctor(shop.root) if one.status == "warn"]

    assert found.name == "policy of slow"
    assert "its data may be 0.01s old, but making it takes" in found.text


def test_a_look_ahead_is_one_of_what_is_overdue(shop):
    with pytest.raises(NeedsOption):
        api.plan(shop.load(), within="30m")


def test_a_clock_that_was_set_back_hides_nothing(shop):
    shop.materialize()
    shop.later(-3)

    assert shop.line("revenue").facts.lag_seconds == 0


def test_a_source_that_lies_elsewhere_in_another_environment_has_a_past_in_each(shop):
    dev = '[environments.dev.sources]\nraw_orders = "data/dev.csv"\n'
    shop.write({"assetflow.toml": f'package = "shop"\n{dev}'})
    shop.put("data/dev.csv", "id,amount,store,note\n1,99,1,a\n", NOON - 5 * HOUR)
    shop.materialize()
    shop.later(1)
    shop.materialize(environment="dev")

    for environment, hours in (("main", 2), ("dev", 6)):
        project = shop.load(environment)
        (line,) = api.freshness(project, ["raw_orders"], at=shop.now).lines
        points = api.freshness_history(project, "raw_orders").points
        assert [point.data_time for point in points if point.data_time] == [line.facts.data_time]
        assert line.facts.lag_seconds == hours * 3600


def test_environments_age_by_themselves(shop):
    shop.materialize()
    api.create_environment(shop.load(), "dev")
    shop.later(8)
    shop.put("data/orders.csv", "id,amount,store,note\n1,11,1,a\n", shop.now)
    shop.materialize(environment="dev")

    (dev,) = api.freshness(shop.load("dev"), ["revenue"]).lines
    assert (shop.lag("revenue"), dev.facts.lag_seconds) == (9, 0)
