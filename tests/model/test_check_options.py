"""Checks say the same in Python and in headers; what cannot work is said at once."""

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import combinations

import pytest

import assetflow
from assetflow import (
    accepted_values,
    aggregate,
    anomaly,
    between,
    column_types,
    drift,
    equal_rows,
    expression,
    matches,
    monotonic,
    not_null,
    recent,
    references,
    row_count,
    string_length,
    unchanged_schema,
    unique,
)
from assetflow.errors import AssetflowError
from assetflow.model.check_options import KINDS, read_checks
from assetflow.model.checks import ROW_LEVEL, Check, QueryCheck, check_fingerprint, contract_check
from assetflow.model.columns import Column
from assetflow.model.declare_checks import check
from assetflow.model.declared_inputs import Input, Location

PLACE = Location("shop/orders.sql", 3)

ALIKE = [
    (lambda: not_null("day"), '{ not_null = "day" }'),
    (lambda: not_null("day", "id"), '{ not_null = ["day", "id"] }'),
    (lambda: unique("day", where="x > 1"), '{ unique = "day", where = "x > 1" }'),
    (
        lambda: accepted_values("a", ["x", 1, date(2026, 1, 1)]),
        '{ accepted_values = "a", values = ["x", 1, 2026-01-01] }',
    ),
    (lambda: between("a", min=0), "{ between = { column = 'a', min = 0 } }"),
    (
        lambda: between("a", max=datetime(2026, 1, 1, 12, tzinfo=UTC), severity="warn"),
        '{ between = "a", max = 2026-01-01T12:00:00Z, severity = "warn" }',
    ),
    (lambda: matches("a", "^x"), '{ matches = "a", pattern = "^x" }'),
    (lambda: string_length("a", min=1, max=3), '{ string_length = "a", min = 1, max = 3 }'),
    (lambda: row_count(min=1), "{ row_count = { min = 1 } }"),
    (lambda: references("a", to="b.c"), '{ references = "a", to = "b.c" }'),
    (
        lambda: references("a", "b", to=["x.y.a", "x.y.b"], max_fraction=0.1),
        '{ references = ["a", "b"], to = ["x.y.a", "x.y.b"], max_fraction = 0.1 }',
    ),
    (lambda: expression("a < b"), '{ expression = "a < b" }'),
    (lambda: column_types({"a": "int"}), '{ column_types = { a = "int" } }'),
    (
        lambda: monotonic("a", order_by="b", group_by=["c"], strict=True),
        '{ monotonic = "a", order_by = "b", group_by = ["c"], strict = true }',
    ),
    (lambda: recent("a", max_age="1d"), '{ recent = "a", max_age = "1d" }'),
    (
        lambda: aggregate("quantile", "a", quantile=0.5, max=3),
        '{ aggregate = "quantile", column = "a", quantile = 0.5, max = 3 }',
    ),
    (lambda: equal_rows("b", columns="a"), '{ equal_rows = "b", columns = "a" }'),
    (unchanged_schema, "{ unchanged_schema = true }"),
    (lambda: unchanged_schema(kept_rows=0), "{ unchanged_schema = {}, kept_rows = 0 }"),
    (lambda: anomaly("row_count"), '{ anomaly = "row_count" }'),
    (
        lambda: anomaly("mean", "a", sensitivity=4, history=30),
        '{ anomaly = "mean", column = "a", sensitivity = 4, history = 30 }',
    ),
    (
        lambda: drift("a", method="ks", baseline="old"),
        '{ drift = "a", method = "ks", baseline = "old" }',
    ),
    (
        lambda: not_null("a", name="b", description="c", scope="whole", timeout="1m"),
        '{ not_null = "a", name = "b", description = "c", scope = "whole", timeout = "1m" }',
    ),
]


def of_header(table):
    checks, errors = read_checks(
        tomllib.loads(f"checks = [{table}]")["checks"], "asset 'orders'", lambda *_: PLACE
    )
    assert not errors
    return checks[0]


@pytest.mark.parametrize(("made", "table"), ALIKE, ids=[table for _, table in ALIKE])
def test_a_check_is_the_same_in_python_and_in_a_header(made, table):
    assert made() == of_header(table)


def test_every_kind_is_declared_in_python_and_in_headers():
    assert {of_header(table).kind for _, table in ALIKE} == KINDS.keys()
    assert KINDS.keys() <= set(assetflow.__all__)


def test_a_check_knows_where_it_is_declared():
    assert not_null("a").location.path.endswith("test_check_options.py")


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (lambda: unique("day", "id"), "unique(day, id)"),
        (lambda: row_count(min=1), "row_count"),
        (lambda: aggregate("mean", "a", min=1), "mean(a)"),
        (lambda: aggregate("quantile", "a", quantile=0.95, min=1), "quantile(a, 0.95)"),
        (lambda: references("a", to="b.c"), "references(a in b)"),
        (lambda: anomaly("mean", "a"), "anomaly(mean, a)"),
        (lambda: expression("a  <\n b"), "expression(a < b)"),
        (lambda: expression("a < " + "b" * 99), "expression(a < " + "b" * 43 + "…)"),
        (lambda: unique("day", name="each day once"), "each day once"),
    ],
)
def test_a_check_has_a_name_that_says_what_it_promises(made, name):
    assert made().name == name


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({}, ("error", "block", True)),
        ({"severity": "error"}, ("error", "block", True)),
        ({"severity": "warn"}, ("warn", "warn", False)),
        ({"on_failure": "warn"}, ("warn", "warn", False)),
        ({"on_failure": "repair"}, ("error", "repair", True)),
        ({"on_failure": "quarantine"}, ("error", "quarantine", True)),
        ({"severity": "error", "on_failure": "warn"}, ("error", "warn", False)),
        ({"severity": "warn", "on_failure": "quarantine"}, ("warn", "quarantine", False)),
    ],
)
def test_severity_and_what_follows_a_failure_say_one_another(keys, found):
    made = not_null("a", **keys)

    assert (made.severity, made.on_failure, made.blocks) == found


WRONG = [
    (lambda: between("a", min=3, max=2), "not below the minimum, 3, and of its kind"),
    (lambda: between("a", min="a", max=3), "not below the minimum, 'a', and of its kind"),
    (lambda: between("a", min=date(2026, 1, 2), max="2026-01-01"), "not below the minimum"),
    (lambda: between("a", min="b", max="a"), "not below the minimum"),
    (lambda: between("a", min="9", max="10a"), "not below the minimum"),
    (lambda: between("a", min="10.5", max="10.25"), "not below the minimum"),
    (lambda: between("a", min=Decimal(2), max=1.5), "not below the minimum"),
    (lambda: between("a"), "'max' of check 'between' is missing."),
    (lambda: between("a", min=True), "a number, or a text, date or instant"),
    (lambda: between("a", min=float("nan")), "a number, or a text, date or instant"),
    (row_count, "'max' of check 'row_count' is missing."),
    (lambda: row_count(min=-1), "a number from 0"),
    (lambda: row_count(min=2, max=1), "not below the minimum, 2"),
    (lambda: string_length("a", min="1"), "a number from 0"),
    (unique, "names of columns, each once"),
    (lambda: unique("a", "A"), "names of columns, each once"),
    (lambda: unique(""), "names of columns, each once"),
    (lambda: not_null("a", max_fraction=1.5), "a fraction from 0 to less than 1"),
    (lambda: not_null("a", max_fraction=-0.1), "a fraction from 0 to less than 1"),
    (lambda: not_null("a", max_failures=-1), "a number of rows from 0"),
    (lambda: not_null("a", kept_rows=-1), "a number of rows from 0"),
    (lambda: not_null("a", timeout="soon"), "a number of seconds, or a text such as"),
    (lambda: not_null("a", name="two\nlines"), "a text of one line"),
    (lambda: not_null("a", where=" "), "a condition on the columns"),
    (lambda: not_null("a", severty="warn"), "Did you mean 'severity'?"),
    (lambda: not_null("a", severity="warn", on_failure="block"), '"warn": a check of severity'),
    (lambda: not_null("a", severity="warn", on_failure="repair"), '"warn": a check of severity'),
    (lambda: unique("a", on_failure="quarantine"), "does not tell of each row whether it fails"),
    (lambda: row_count(min=1, on_failure="quarantine"), "does not tell of each row"),
    (lambda: not_null("a", on_failure="quarantine", scope="whole"), "rows are put aside while"),
    (lambda: unique("a", on_failure="repair", scope="whole"), "by the partitions that failed"),
    (lambda: recent("a", max_age="1d", max_failures=1), "'max_failures' is not a key of check"),
    (lambda: row_count(min=1, max_failures=1), "a check of this kind counts no rows that fail"),
    (lambda: row_count(min=1, max_fraction=0.1), "Remove 'max_fraction'."),
    (lambda: accepted_values("a", []), "at least one value"),
    (lambda: accepted_values("a", "abc"), "a list of texts, numbers, dates"),
    (lambda: accepted_values("a", [object()]), "a list of texts, numbers, dates"),
    (lambda: references("a", to="b"), 'as in "stores.store_id"'),
    (lambda: references("a", "b", to="x.a"), 'as in "stores.store_id"'),
    (lambda: references("a", "b", to=["x.a", "y.b"]), 'as in "stores.store_id"'),
    (lambda: aggregate("mean", "a", min=1, quantile=0.5), 'or `function = "quantile"` as well'),
    (lambda: aggregate("quantile", "a", min=1), "'quantile' of check 'aggregate' is missing."),
    (lambda: aggregate("quantile", "a", min=1, quantile=95), "a number from 0 to 1"),
    (lambda: aggregate("avg", "a", min=1), '"mean", "sum"'),
    (lambda: anomaly("mean"), "'column' of check 'anomaly' is missing."),
    (lambda: anomaly("row_count", "a"), "a number of rows has no column"),
    (lambda: anomaly("row_count", history=3), "a number of versions from 7"),
    (lambda: anomaly("row_count", sensitivity=0), "a number above 0"),
    (lambda: drift("a", method="kl"), '"psi", "ks" or "js"'),
    (lambda: drift("a", baseline="2026-13-01"), '"previous", "first", a day, or the name'),
    (lambda: column_types({}), "for each column its type"),
    (lambda: expression("  "), "a condition on the columns"),
]


@pytest.mark.parametrize(("made", "says"), WRONG)
def test_what_cannot_be_promised_is_refused(made, says):
    with pytest.raises(AssetflowError) as caught:
        made()

    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("9.5", "10.5"),
        ("-3", "-2"),
        ("a", "b"),
        ("2026-01-01T01:30:00+02:00", "2026-01-01T00:00:00+00:00"),
        (date(2026, 1, 1), "2026-01-01"),
        (Decimal("9.5"), Decimal("10.5")),
    ],
)
def test_bounds_may_be_texts_of_numbers_and_of_instants(low, high):
    assert between("a", min=low, max=high).argument("min") == str(low)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ('{ unique = "a" }', "a list of checks, each with its kind"),
        ('["unique"]', "a list of checks, each with its kind"),
        ("[{}]", "a list of checks, each with its kind"),
        ('[{ uniqe = "a" }]', "Did you mean 'unique'?"),
        ("[{ row_count = { min = 3 }, max_failures = 2 }]", "counts no rows that fail"),
        ('[{ name = "x" }]', "No kind of check is named 'name'."),
        ('[{ unique = "a", not_null = "b" }]', "of 2 kinds at once: unique, not_null."),
        ("[{ row_count = 3 }]", "a table with its arguments"),
        ('[{ unique = "a" }, { unique = "a" }]', "are named 'unique(a)'."),
        ('[{ unique = "a", min = 3 }]', "'min' is not a key of check 'unique' of asset"),
    ],
)
def test_a_header_that_lists_no_checks_is_refused(said, says):
    told = tomllib.loads(f"checks = {said}")["checks"]

    _, errors = read_checks(told, "asset 'orders'", lambda *_: PLACE)

    assert len(errors) == 1
    assert says in str(errors[0])
    assert "shop/orders.sql:3" in str(errors[0])


def test_a_long_list_of_values_is_kept_as_it_is():
    made = accepted_values("a", range(100_000))

    assert made.argument("values") == tuple(range(100_000))
    assert check_fingerprint(made) != check_fingerprint(accepted_values("a", range(99_999)))


def test_equal_values_of_other_types_are_other_values():
    values = accepted_values("a", [1, True, 1.0, "1", 1]).argument("values")

    assert [type(value) for value in values] == [int, bool, float, str]


BASE = between("a", min=1, where="b", max_failures=2)
DECIDES = {
    "kind": {"kind": "aggregate"},
    "columns": {"columns": ("a", "b")},
    "arguments": {"arguments": (("min", 2),)},
    "the type of an argument": {"arguments": (("min", "1"),)},
    "where": {"where": "c"},
    "severity": {"severity": "warn"},
    "on_failure": {"on_failure": "quarantine"},
    "max_failures": {"max_failures": 3},
    "max_fraction": {"max_fraction": 0.5},
    "scope": {"scope": "whole"},
    "inputs": {"inputs": (Input("stores", "sql"),)},
    "columns of inputs": {"inputs": (Input("stores", "sql", ("id",)),)},
    "query": {"body": QueryCheck("select 1")},
    "canonical": {"canonical": "0f"},
}


def test_whatever_decides_the_answer_changes_the_fingerprint():
    made = [BASE, *(replace(BASE, **change) for change in DECIDES.values())]

    for one, other in combinations(made, 2):
        assert check_fingerprint(one) != check_fingerprint(other)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "x"},
        {"description": "x"},
        {"kept_rows": 0},
        {"timeout_seconds": 3.0},
        {"location": None},
    ],
)
def test_what_does_not_decide_the_answer_leaves_the_fingerprint(change):
    assert check_fingerprint(replace(BASE, **change)) == check_fingerprint(BASE)


def test_the_text_of_sql_does_not_count_where_its_canonical_form_is_known():
    one, other = expression("a<1", where="b"), expression("a < 1", where="(b)")

    assert check_fingerprint(one) != check_fingerprint(other)
    assert check_fingerprint(replace(one, canonical="0")) == check_fingerprint(
        replace(other, canonical="0")
    )


def test_a_contract_is_a_check():
    columns = (Column("day", "DATE", nullable=False), Column("amount", "DOUBLE"))

    (made,) = contract_check(columns, "exact")

    assert (made.kind, made.name, made.columns, made.blocks) == (
        "contract",
        "contract",
        ("day", "amount"),
        True,
    )
    assert dict(made.arguments) == {
        "mode": "exact",
        "required": ("day",),
        "types": ("DATE", "DOUBLE"),
    }
    assert contract_check(columns[1:], None) == ()
    assert contract_check(columns, None)[0].argument("mode") == "additive"


def test_only_kinds_that_tell_of_each_row_can_put_rows_aside():
    assert {kind for kind in KINDS if Check(kind, "x").is_row_level} == ROW_LEVEL


def test_a_function_that_checks_is_still_a_function():
    @check("orders", severity="warn", timeout="10s")
    def few(orders, limit=3):
        """Orders are few.

        More of it.
        """
        return len(orders) < limit

    declared = few.declaration

    assert few([1, 2]) is True
    assert (declared.asset, declared.check.name) == ("orders", "few")
    assert declared.check.description == "Orders are few."
    assert (declared.check.severity, declared.check.timeout_seconds) == ("warn", 10.0)
    assert [item.name for item in declared.check.inputs] == ["orders"]
    assert [item.name for item in declared.check.body.optional] == ["limit"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"on_failure": "quarantine"}, "does not tell of each row whether it fails"),
        ({"max_failure": 3}, "Did you mean 'max_failures'"),
        ({"severity": "warn", "on_failure": "block"}, '"warn": a check of severity'),
    ],
)
def test_a_function_cannot_promise_everything(options, says):
    with pytest.raises(AssetflowError) as caught:
        check("orders", **options)(lambda orders: True)

    assert says in str(caught.value)


def test_a_check_of_something_else_than_an_asset_is_refused():
    with pytest.raises(AssetflowError) as caught:
        check(3)(lambda orders: True)

    assert "The check '<lambda>' is not of one asset." in str(caught.value)


def test_each_table_of_a_header_has_a_place_of_its_own():
    asked = []

    def at(kind, earlier):
        asked.append((kind, earlier))
        return PLACE

    tables = [
        {"unique": "a"},
        {"unique": "b", "not_null": "c"},
        {"not_null": "d"},
        {"unique": "e", "min": 3},
        {"uniq": "f"},
        {},
    ]
    read_checks(tables, "asset 'orders'", at)

    assert asked == [
        ("unique", 0), ("unique", 1), ("not_null", 1), ("unique", 2), ("uniq", 0), ("", 0),
    ]  # fmt: skip
