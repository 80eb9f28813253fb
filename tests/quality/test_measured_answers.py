"""What DuckDB measures is what looking at each row by itself would find."""

import itertools
import math
import re
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import median
from uuid import UUID

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.model.check_options import (
    AcceptedValues,
    Aggregate,
    Between,
    EqualRows,
    Expression,
    KindOptions,
    Matches,
    Monotonic,
    NotNull,
    References,
    RowCount,
    StringLength,
    Unique,
)
from assetflow.model.checks import Check
from assetflow.model.columns import EVERYTHING, EVERYTHING_ORDERED, Column
from assetflow.quality.answers import Answer, Known
from assetflow.quality.judging import judged
from assetflow.quality.measures import is_measured
from assetflow.quality.queries import failing_rows, queries
from assetflow.quality.read_columns import OWN, read_sets
from assetflow.warehouse.auditing import ask, audit_groups, audit_scan, find_rows, measure
from assetflow.warehouse.digests import (
    GROUP_COLUMN,
    ORDER_COLUMN,
    Grouped,
    digest_columns,
    examine,
    examine_groups,
    measured_values,
)
from tests.warehouse.test_digests import VALUES

SCHEMA = (
    Column("id", "INTEGER"),
    Column("amount", "DOUBLE"),
    Column('na"me', "VARCHAR"),
    Column("Day", "DATE"),
    Column("price", "DECIMAL(9,2)"),
)
NAME = 'na"me'
KNOWN = Known(datetime(2026, 1, 22, tzinfo=UTC))

TEXTS = st.sampled_from(["", "a", "A", "it's", 'q"q', "é", "日本", "a,b|c", "null", "aa", "x\ny"])
FLOATS = st.sampled_from([0.0, -0.0, 1.5, -2.25, 1e300, math.inf, -math.inf, math.nan])
PRICES = st.decimals(-5, 5, places=2)
DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 9))
VALUES_OF = (st.integers(-3, 9), FLOATS, TEXTS, DAYS, PRICES)
ROWS = st.lists(st.tuples(*(st.none() | values for values in VALUES_OF)), max_size=25)


def is_between(value, low, high):
    if value is None:
        return True
    if isinstance(value, float) and math.isnan(value):
        return False
    return (low is None or value >= low) and (high is None or value <= high)


def bounded(values):
    """Return two bounds in order, of which one may be missing."""
    pairs = st.tuples(values, values).map(sorted)
    return pairs.flatmap(
        lambda pair: st.sampled_from([tuple(pair), (pair[0], None), (None, pair[1])])
    )


def found_in(pattern, text):
    flags = re.IGNORECASE if "(?i)" in pattern else 0
    return re.search(pattern.replace("(?i)", ""), text, flags)


# Each gives a check, and what it says of one row: whether that fails.
BETWEEN = [("id", st.integers(-3, 9)), ("Day", DAYS), ("price", PRICES), (NAME, st.just("b"))]
BY_ROW = [
    st.sets(st.sampled_from([column.name for column in SCHEMA]), min_size=1).map(
        lambda names: (NotNull(columns=sorted(names)), lambda row: None in map(row.get, names))
    ),
    st.lists(st.integers(-3, 9) | st.just(2.5), min_size=1).map(
        lambda values: (
            AcceptedValues(column="ID", values=values),
            lambda row: row["id"] is not None and row["id"] not in values,
        )
    ),
    st.lists(TEXTS | st.integers(0, 99).map(str), min_size=1, max_size=60).map(
        lambda values: (
            AcceptedValues(column=NAME, values=values),
            lambda row: row[NAME] is not None and row[NAME] not in values,
        )
    ),
    st.sampled_from(BETWEEN).flatmap(
        lambda case: bounded(case[1]).map(
            lambda pair: (
                Between(column=case[0], min=pair[0], max=pair[1]),
                lambda row: not is_between(row[case[0]], *pair),
            )
        )
    ),
    bounded(st.sampled_from([-2.25, 0.1, 1.5])).map(
        lambda pair: (
            Between(column="amount", min=pair[0], max=pair[1]),
            lambda row: not is_between(row["amount"], *pair),
        )
    ),
    st.sampled_from(["^a", "a$", "'", "^.$", "[A-Zé]", "^", "^a*", "^b|a", "^$", "^(?i)A"]).map(
        lambda pattern: (
            Matches(column=NAME, pattern=pattern),
            lambda row: row[NAME] is not None and not found_in(pattern, row[NAME]),
        )
    ),
    bounded(st.integers(0, 4)).map(
        lambda pair: (
            StringLength(column=NAME, min=pair[0], max=pair[1]),
            lambda row: row[NAME] is not None and not is_between(len(row[NAME]), *pair),
        )
    ),
    st.integers(-3, 9).map(
        lambda limit: (
            Expression(sql=f'ID < {limit} or price > 0 -- and "so on"'),
            lambda row: (
                (row["id"] is None or row["id"] >= limit)
                and (row["price"] is None or row["price"] <= 0)
                and not (row["id"] is None and row["price"] is None)
                and not (row["id"] is None or row["price"] is None)
            ),
        )
    ),
    st.just(
        (
            References(columns=["id"], to=["other.key"]),
            lambda row: row["id"] is not None and row["id"] not in OTHER,
        )
    ),
]
OTHER = (1, 2, None, 5)
WHERES = {
    "": lambda row: True,
    "id > 2": lambda row: row["id"] is not None and row["id"] > 2,
    "\"Day\" = '2026-01-03' or price < 0": lambda row: (
        row["Day"] == date(2026, 1, 3) or (row["price"] is not None and row["price"] < 0)
    ),
}


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        opened.execute("create table other as select unnest([1, 2, null, 5]) as key")
        yield opened


def fill(connection, rows):
    columns = ", ".join(f'"{c.name.replace(chr(34), chr(34) * 2)}" {c.type}' for c in SCHEMA)
    connection.execute(f"create or replace table own ({columns})")
    if rows:
        places = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
        connection.execute(f"insert into own values {places}", [v for row in rows for v in row])
    return [dict(zip([column.name for column in SCHEMA], row, strict=True)) for row in rows]


def answer_of(
    connection, check: Check, rows: int, scan: str = "own", *, is_few: bool = False
) -> Answer:
    values = measure(connection, scan, SCHEMA, [check], rows=rows if is_few else None)[0]
    asked = ask(connection, queries(check, SCHEMA, scan, {"other": "other", OWN: scan}))
    return judged(check, SCHEMA, (*values, *asked), rows, KNOWN)


def with_where(options: KindOptions, where: str) -> Check:
    return options.model_copy(update={"where": where or None}).frozen()


@settings(max_examples=200, deadline=None)
@given(
    rows=ROWS,
    case=st.one_of(BY_ROW),
    where=st.sampled_from(sorted(WHERES)),
    is_few=st.booleans(),
)
def test_rows_fail_that_fail_by_themselves(connection, rows, case, where, is_few):
    assert_failing(connection, rows, case, where, is_few=is_few)


def assert_failing(connection, rows, case, where, *, is_few):
    options, fails = case
    check, table = with_where(options, where), fill(connection, rows)

    found = answer_of(connection, check, len(rows), is_few=is_few)
    shown = find_rows(connection, failing_rows(check, SCHEMA, "own", {"other": "other"}), 100)

    considered = [row for row in table if WHERES[where](row)]
    failing = [tuple(row.values()) for row in considered if fails(row)]
    assert (found.failures, found.rows, found.message) == (len(failing), len(considered), "")
    assert found.status == ("failed" if failing else "passed")
    assert Counter(map(repr, shown.rows)) == Counter(map(repr, failing))


@settings(max_examples=150, deadline=None)
@given(
    rows=ROWS,
    is_fused=st.booleans(),
    names=st.sets(st.sampled_from([c.name for c in SCHEMA]), min_size=1, max_size=3).map(sorted),
    where=st.sampled_from(sorted(WHERES)),
)
def test_keys_are_unique_that_are_there_once(connection, rows, is_fused, names, where):
    check, table = with_where(Unique(columns=names), where), fill(connection, rows)

    known = len(rows) if is_fused else None
    (values,) = measure(connection, "own", SCHEMA, [check], rows=known)
    found = judged(check, SCHEMA, values, len(rows), KNOWN)
    shown = find_rows(connection, failing_rows(check, SCHEMA, "own", {}), 100)

    keys = [
        repr([0.0 if row[name] == 0 else row[name] for name in names])
        for row in table
        if WHERES[where](row) and None not in map(row.get, names)
    ]
    counts = Counter(keys)
    assert found.failures == len(keys) - len(counts)
    assert len(shown.rows) == sum(count for count in counts.values() if count > 1)


def fell(values, *, strict, decreasing):
    pairs = itertools.pairwise(values)
    if decreasing:
        pairs = ((after, before) for before, after in pairs)
    return sum(after < before or (strict and after == before) for before, after in pairs)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, strict=st.booleans(), decreasing=st.booleans(), by_day=st.booleans())
def test_values_fall_that_are_below_the_one_before(connection, rows, strict, decreasing, by_day):
    group = ["Day"] if by_day else []
    check = Monotonic(column="price", strict=strict, decreasing=decreasing, group_by=group).frozen()
    table = [row for row in fill(connection, rows) if row["price"] is not None]

    found = answer_of(connection, check, len(rows))

    days = dict.fromkeys(row["Day"] if by_day else None for row in table)
    runs = [[r["price"] for r in table if not by_day or r["Day"] == day] for day in days]
    expected = sum(fell(run, strict=strict, decreasing=decreasing) for run in runs)
    shown = find_rows(connection, failing_rows(check, SCHEMA, "own", {}), 100)
    assert found.failures == len(shown.rows) == expected


FIGURES = {
    "sum": math.fsum,
    "mean": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
    "distinct": lambda values: len(set(values)),
    "median": median,
}


@settings(max_examples=150, deadline=None)
@given(
    rows=ROWS,
    function=st.sampled_from(sorted(FIGURES)),
    pair=bounded(st.sampled_from([-1.5, 0, 2, Decimal("2.5")])),
    where=st.sampled_from(sorted(WHERES)),
    is_few=st.booleans(),
)
def test_figures_lie_between_their_bounds(connection, rows, function, pair, where, is_few):
    options = Aggregate(function=function, column="price", min=pair[0], max=pair[1])
    check, table = with_where(options, where), fill(connection, rows)

    found = answer_of(connection, check, len(rows), is_few=is_few)

    values = [row["price"] for row in table if WHERES[where](row) and row["price"] is not None]
    if not values and function != "distinct":
        assert (found.status, found.observed) == ("passed", "no values")
        return
    expected = float(FIGURES[function](values))
    assert found.metric == pytest.approx(expected)
    low, high = (None if bound is None else float(bound) for bound in pair)
    assert (found.status == "passed") == is_between(round(found.metric, 9), low, high)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, others=ROWS)
def test_equal_rows_are_the_same_as_often(connection, rows, others):
    fill(connection, others)
    connection.execute("create or replace table there as from own")
    fill(connection, rows)
    check = EqualRows(to="there", columns=["id", "Day"]).frozen()

    asked = ask(connection, queries(check, SCHEMA, "own", {"there": "there"}))
    found = judged(check, SCHEMA, asked, len(rows), KNOWN)

    here, there = (Counter((row[0], row[3]) for row in table) for table in (rows, others))
    assert found.failures == (here - there).total() + (there - here).total()


ALL = [
    NotNull(columns=["id"]),
    Unique(columns=["id", "Day"]),
    Unique(columns=[NAME], where="id > 2"),
    AcceptedValues(column=NAME, values=[str(number) for number in range(40)]),
    Between(column="amount", min=0),
    Expression(sql="price::int < id"),
    RowCount(min=2, where="id > 0"),
    Aggregate(function="sum", column="price", min=0),
    Aggregate(function="distinct", column="id", min=1),
    Monotonic(column="price", order_by=["id", "price"]),
]


def answers(checks, found):
    pairs = zip(checks, found.measured, strict=True)
    return [judged(check, SCHEMA, values, found.rows, KNOWN) for check, values in pairs]


@settings(max_examples=20, deadline=None)
@given(rows=ROWS, is_large=st.booleans())
def test_groups_are_measured_as_each_by_itself(connection, rows, is_large):
    checks = [options.frozen() for options in ALL]
    fill(connection, rows)
    source = f"(select *, coalesce(id, 0) % 3 as {GROUP_COLUMN} from own)"

    found = audit_groups(
        connection, Grouped(source, is_large), SCHEMA, [EVERYTHING], range(-2, 4), checks
    )

    for key, one in found.items():
        alone = f"(select * from own where coalesce(id, 0) % 3 = {key})"
        expected = audit_scan(connection, alone, SCHEMA, [EVERYTHING], checks)
        assert (one.rows, one.digests) == (expected.rows, expected.digests)
        assert answers(checks, one) == answers(checks, expected)


def counted(measured):
    return [[int(value or 0) for value in values] for values in measured]


TOGETHER = st.lists(
    st.tuples(st.one_of(BY_ROW), st.sampled_from(sorted(WHERES))), min_size=2, max_size=6
)


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, cases=TOGETHER)
def test_checks_of_few_rows_find_what_each_finds_by_itself(connection, rows, cases):
    fill(connection, rows)
    checks = [with_where(options, where) for (options, _), where in cases]
    checks = [check for check in checks if check.kind != "references"]

    found = measure(connection, "own", SCHEMA, checks, rows=len(rows))
    scanned = audit_scan(connection, "own", SCHEMA, [EVERYTHING], checks, rows=len(rows))

    alone = [measure(connection, "own", SCHEMA, [check])[0] for check in checks]
    assert counted(found) == counted(scanned.measured) == counted(alone)


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, case=st.one_of(BY_ROW), where=st.sampled_from(sorted(WHERES)), data=st.data())
def test_columns_that_are_not_read_change_no_answer(connection, rows, case, where, data):
    check = with_where(case[0], where)
    fill(connection, rows)
    before = answer_of(connection, check, len(rows))
    read = read_sets(check, SCHEMA)[OWN].columns or ()

    others = st.lists(st.tuples(*VALUES_OF), min_size=len(rows), max_size=len(rows))
    changed = [
        tuple(
            old if column.name in read else new
            for column, old, new in zip(SCHEMA, row, drawn, strict=True)
        )
        for row, drawn in zip(rows, data.draw(others), strict=True)
    ]
    fill(connection, changed)

    assert answer_of(connection, check, len(rows)) == before


@pytest.mark.parametrize("type_", [name for name in VALUES if name not in {"BIT", "INTERVAL"}])
def test_every_type_can_be_null_and_unique(type_):
    values = VALUES[type_]
    schema = (Column("x", type_),)
    with duckdb.connect() as opened:
        rows = ", ".join(f"(({value})::{type_})" for value in [*values, *values])
        opened.execute(f"create table own as select * from (values {rows}) as v(x)")
        checks = [NotNull(columns=["x"]).frozen(), Unique(columns=["x"]).frozen()]

        (nulls,), (keyed, distinct) = measure(opened, "own", schema, checks)
        of_few = measure(opened, "own", schema, checks, rows=2 * len(values))

    assert nulls == 2 * values.count("null")
    assert keyed == 2 * (len(values) - values.count("null"))
    assert distinct <= keyed / 2
    assert of_few == ((nulls,), (keyed, distinct))


ODD = (math.nan, math.inf, -math.inf, -0.0, 0.0, 0.1, None)
LIMITS = (-2.25, 0.0, 0.1, 1.5)


def of_floats():
    """Yield each check of one column, and what it says of a row, that knows odd floats."""
    for low, high in itertools.product((None, *LIMITS), repeat=2):
        if (low, high) != (None, None) and (low is None or high is None or low <= high):
            yield (
                Between(column="amount", min=low, max=high),
                lambda row, low=low, high=high: not is_between(row["amount"], low, high),
            )
    for count in (1, 30):
        accepted = [0.0, *(50.0 + number for number in range(count))]
        yield (
            AcceptedValues(column="amount", values=accepted),
            lambda row, accepted=accepted: (
                row["amount"] is not None and row["amount"] not in accepted
            ),
        )
    yield NotNull(columns=["amount"]), lambda row: row["amount"] is None


@pytest.mark.parametrize("where", ["", "id > 2"])
def test_nan_lies_in_no_range_and_infinities_in_open_ones(connection, where):
    rows = [(number, value, None, None, None) for number, value in enumerate(ODD * 2)]

    for case, is_few in itertools.product(of_floats(), (False, True)):
        assert_failing(connection, rows, case, where, is_few=is_few)


@pytest.mark.parametrize("rows", [30, 3000])
@pytest.mark.parametrize("whole", [EVERYTHING, EVERYTHING_ORDERED])
def test_one_statement_finds_digests_and_measures(rows, whole):
    schema = (Column("assetflow", "BIGINT"), Column("n", "BIGINT"))
    texts = ["sum(n)", "count_if(assetflow > 3)", "typeof(null::int)"]
    with duckdb.connect() as opened:
        scan = f"(select range as assetflow, range % 7 as n from range({rows}))"
        found = examine(opened, scan, schema, [whole], rows=rows, measures=texts)
        assert found.measured == measured_values(opened, scan, texts)
        assert found.digests == digest_columns(opened, scan, schema, [whole])

        source = f"(select *, assetflow % 2 as {GROUP_COLUMN}, n as {ORDER_COLUMN} from {scan})"
        groups = examine_groups(opened, Grouped(source), schema, [whole], [0, 1, 2], measures=texts)
        for key, one in groups.items():
            own = f"(select * from {scan} where assetflow % 2 = {key})"
            assert one.measured == measured_values(opened, own, texts)


def test_only_what_breaks_is_broken(connection):
    fill(connection, [(1, 1.0, "a", None, None), (2, 2.0, "b", None, None)])
    checks = [
        NotNull(columns=["id"]).frozen(),
        Expression(sql='"na""me"::int > 0').frozen(),
        Between(column="amount", max=1.5).frozen(),
    ]

    found = audit_scan(connection, "own", SCHEMA, [EVERYTHING], checks)
    answers = [judged(c, SCHEMA, v, 2, KNOWN) for c, v in zip(checks, found.measured, strict=True)]

    assert [answer.status for answer in answers] == ["passed", "errored", "failed"]
    assert "Could not convert string 'a' to INT32" in answers[1].message
    assert found.rows == 2
    assert EVERYTHING in found.digests


def test_what_breaks_of_few_rows_leaves_the_others_be(connection):
    fill(connection, [(1, 1.0, "a", None, None), (2, 2.0, "7", None, None)])
    checks = [
        Between(column="amount", max=1.5).frozen(),
        Expression(sql='"na""me"::int > 0').frozen(),
        NotNull(columns=["id"]).frozen(),
        Unique(columns=["id"]).frozen(),
    ]

    for values in (
        measure(connection, "own", SCHEMA, checks, rows=2),
        audit_scan(connection, "own", SCHEMA, [EVERYTHING], checks, rows=2).measured,
    ):
        answers = [judged(c, SCHEMA, v, 2, KNOWN) for c, v in zip(checks, values, strict=True)]
        assert [one.status for one in answers] == ["failed", "errored", "passed", "passed"]
        assert [one.failures for one in answers] == [1, None, 0, 0]


def test_of_few_rows_what_fails_is_counted_by_check(connection):
    rows = [(number, float(number), "ab"[number % 2], None, None) for number in range(10)]
    fill(connection, rows)
    checks = [
        Between(column="amount", min=8).frozen(),
        NotNull(columns=["Day"]).frozen(),
        NotNull(columns=["id"]).frozen(),
        Matches(column=NAME, pattern="^a").frozen(),
        Expression(sql="true or id > 3", where="id > 3 -- or so").frozen(),
    ]

    found = measure(connection, "own", SCHEMA, checks, rows=10)

    assert found == ((8,), (10,), (0,), (5,), (0, 6))


@pytest.mark.parametrize("pattern", ["^", "^$", "^a*", "^b|a", "^(a|)$", "^é?", "^a", "^[^a]*$"])
@pytest.mark.parametrize("rows", [6, None])
def test_what_matches_without_a_character_matches(connection, pattern, rows):
    texts = ["", "a", "b", "ab", "é", None]
    fill(connection, [(None, None, text, None, None) for text in texts])

    ((failures,),) = measure(
        connection, "own", SCHEMA, [Matches(column=NAME, pattern=pattern).frozen()], rows=rows
    )

    assert failures == sum(text is not None and not re.search(pattern, text) for text in texts)


@pytest.mark.parametrize("values", [[""], ["a"], ["", "a", "é"], ["|", "b,;"], ["it's"]])
@pytest.mark.parametrize("rows", [7, None])
def test_texts_are_accepted_as_they_are(connection, values, rows):
    texts = ["", "a", "A", "é", "|", "it's", None]
    fill(connection, [(None, None, text, None, None) for text in texts])

    ((failures,),) = measure(
        connection, "own", SCHEMA, [AcceptedValues(column=NAME, values=values).frozen()], rows=rows
    )

    assert failures == sum(text is not None and text not in values for text in texts)


DIFFERENT = {
    "DOUBLE": (["0.0", "'-0.0'", "'nan'", "'-nan'", "'inf'", "1"], 4),
    "FLOAT": (["0.0", "'-0.0'", "'nan'", "'-nan'"], 2),
    "INTERVAL": (["'1 month'", "'30 days'", "'720 hours'", "'1 day'"], 2),
    "DECIMAL(38,9)": (["0.1", "0.10", "-0.1"], 2),
    "HUGEINT": (["0", "-1", "170141183460469231731687303715884105727"], 3),
    "VARCHAR": (["'a'", "'A'", "'a '", "'é'", "'e\u0301'", "''"], 6),
    "BLOB": (["''", "'\\x00'", "'\\x00\\x00'"], 3),
    "BIT": (["'01'", "'1'", "'001'"], 3),
    "TIMESTAMP WITH TIME ZONE": (["'2026-01-01 00:00:00+00'", "'2026-01-01 01:00:00+01'"], 1),
    "INTEGER[]": (["[1]", "[]", "[null]", "[1, null]"], 4),
    "INTEGER[2]": (["[1, 2]", "[1, null]", "[2, 1]"], 3),
    "STRUCT(a INTEGER, b VARCHAR)": (["{'a': 1, 'b': null}", "{'a': null, 'b': null}"], 2),
    "MAP(VARCHAR, INTEGER)": (["map {'a': 1}", "map {}", "map {'a': null}"], 3),
}


@pytest.mark.parametrize("type_", DIFFERENT)
@pytest.mark.parametrize("rows", [10, None])
def test_keys_differ_as_distinct_tells(type_, rows):
    values, different = DIFFERENT[type_]
    schema = (Column("x", type_), Column("one", "INTEGER"))
    checks = [Unique(columns=columns).frozen() for columns in (["x"], ["x", "one"])]
    with duckdb.connect() as opened:
        opened.execute(f"create table own (x {type_}, one int)")
        for value in [*values, "null", "null"]:
            opened.execute(f"insert into own values ({value}, 1)")

        found = measure(opened, "own", schema, checks, rows=rows)
        source = f"(select *, 0 as {GROUP_COLUMN} from own)"
        groups = audit_groups(opened, Grouped(source), schema, [], [0], checks)

    assert found == groups[0].measured == ((len(values), different),) * 2


def test_what_takes_too_long_is_broken(connection):
    slow = "select count(*) from range(100000000) a, range(100000) b where a.range + b.range < 0"

    (found,) = ask(connection, [slow], timeout_seconds=0.05)

    assert found.message == "it took longer than 0.05s"
    assert ask(connection, ["select 1"]) == (1,)


def test_a_list_of_a_hundred_thousand_values_is_looked_up(connection):
    fill(connection, [(number, None, str(number), None, None) for number in range(-2, 20)])
    check = AcceptedValues(column="id", values=list(range(100_000))).frozen()

    assert answer_of(connection, check, 22).failures == 2


@pytest.mark.parametrize("name", ["a$b", "größe", 'a "b"', "A b", "_", "名前", "1st", "a·b"])
@pytest.mark.parametrize("is_bare", [False, True])
def test_a_condition_reads_each_column_that_duckdb_lets_it_name(name, is_bare):
    schema = (Column("a", "INTEGER"), Column(name, "INTEGER"))
    quoted = '"' + name.replace('"', '""') + '"'
    condition = f"{name if is_bare else quoted} > 0"
    with duckdb.connect() as opened:
        try:
            opened.execute(f"select * from (select 1 as a, 2 as {quoted}) where {condition}")
        except duckdb.Error:
            return

    assert name in read_sets(Expression(sql=condition).frozen(), schema)[OWN].columns


LISTS = [
    ("FLOAT", "0.1", [0.1, 0.7], True),
    ("FLOAT", "0.1", ["0.1", 7], True),
    ("DOUBLE", "0.1", ["0.1", 0.5], True),
    ("DECIMAL(9,3)", "0.001", ["1e-3", "0.5"], True),
    ("DECIMAL(9,3)", "0.001", ["0.0010000"], True),
    ("DECIMAL(9,3)", "0.001", ["0.002"], False),
    ("BIGINT", "9007199254740993", [9007199254740993], True),
    ("BIGINT", "9007199254740993", [9007199254740992], False),
    ("DATE", "'2026-01-01'", ["2026-01-01"], True),
    ("DATE", "'2026-01-01'", ["2026-01-01 12:00:00"], False),
    ("DATE", "'2026-01-01'", ["2026-01-01 00:00:00"], True),
    ("TIMESTAMP", "'2026-01-01 12:00:00'", ["2026-01-01 12:00:00"], True),
    ("UUID", "'67e55044-10b1-426f-9247-bb680e5fe0c8'", [str(UUID(int=7))], False),
]


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize(("type_", "value", "accepted", "is_accepted"), LISTS)
def test_a_list_accepts_the_same_long_or_short(type_, value, accepted, is_accepted, is_long):
    more = [str(UUID(int=n)) if type_ == "UUID" else f"19{n}-01-01" for n in range(50, 80)]
    numbers = [accepted[0].__class__(number) for number in range(50, 80)]
    longer = numbers if type_ not in {"DATE", "TIMESTAMP", "UUID"} else more
    check = AcceptedValues(column="x", values=[*accepted, *(longer if is_long else ())]).frozen()

    with duckdb.connect() as opened:
        scan = f"(select ({value})::{type_} as x)"
        ((failures,),) = measure(opened, scan, (Column("x", type_),), [check])
        ((of_few,),) = measure(opened, scan, (Column("x", type_),), [check], rows=1)

    assert failures == of_few == (not is_accepted)


def test_kinds_that_measure_are_known_to():
    assert all(is_measured(options.frozen()) for options in ALL)
    assert not is_measured(EqualRows(to="other").frozen())
