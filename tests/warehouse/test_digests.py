"""A digest differs wherever the content of its columns differs, and only there."""

import random

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.errors import MissingReadSetColumn
from assetflow.model.columns import EVERYTHING, EVERYTHING_ORDERED, Column, ReadSet
from assetflow.warehouse.digests import SMALL, algorithm_id, digest_columns

# For each type, values of which every two must differ.
VALUES = {
    "BOOLEAN": ["true", "false", "null"],
    "TINYINT": ["0", "1", "-1", "null"],
    "BIGINT": ["0", "1", "-1", "9223372036854775807", "null"],
    "UBIGINT": ["0", "18446744073709551615", "null"],
    "HUGEINT": [
        "0",
        "1",
        "-1",
        "18446744073709551616",
        "18446744073709551617",
        "170141183460469231731687303715884105727",
        "null",
    ],
    "UHUGEINT": ["0", "340282366920938463463374607431768211455", "null"],
    "DECIMAL(9,2)": ["0", "0.01", "-0.01", "null"],
    "DECIMAL(19,2)": ["0", "-0.01", "0.01", "null"],
    "DECIMAL(38,0)": [
        "0",
        "1",
        "-1",
        "18446744073709551616",
        "99999999999999999999999999999999999999",
        "null",
    ],
    "FLOAT": ["0", "'-0.0'", "0.1", "'nan'", "'inf'", "'-inf'", "null"],
    "DOUBLE": ["0", "'-0.0'", "0.1", "0.10000000000000002", "'nan'", "'inf'", "null"],
    "VARCHAR": ["''", "' '", "'a'", "'A'", "'null'", "'é'", "'e\u0301'", "null"],
    "BLOB": ["''", "'\\x00'", "'\\x00\\x00'", "null"],
    "BIT": ["'1'", "'01'", "'10'", "null"],
    "UUID": [f"'{'0' * 8}-0000-0000-0000-{'0' * 11}{last}'" for last in "01"] + ["null"],
    "DATE": ["'1970-01-01'", "'1970-01-02'", "'infinity'", "null"],
    "TIME": ["'00:00:00'", "'00:00:00.000001'", "null"],
    "TIMETZ": ["'12:00:00+00'", "'12:00:00+01'", "null"],
    "TIMESTAMP": ["'1970-01-01'", "'1970-01-01 00:00:00.000001'", "'infinity'", "null"],
    "TIMESTAMP_S": ["'1970-01-01'", "'1970-01-01 00:00:01'", "null"],
    "TIMESTAMP_NS": ["'1970-01-01'", "'1970-01-01 00:00:00.000000001'", "null"],
    "TIMESTAMPTZ": ["'1970-01-01 00:00:00+00'", "'1970-01-01 00:00:00+01'", "null"],
    "INTERVAL": ["'1 month'", "'30 days'", "'720 hours'", "'1 microsecond'", "null"],
    "ENUM('a', 'b')": ["'a'", "'b'", "null"],
    "JSON": ["'{}'", "'[]'", "'null'", "null"],
    "DECIMAL(38,2)[]": ["[0]", "[-0.01]", "null"],
    "INTEGER[]": ["[]", "[null]", "[0]", "[0, 0]", "[1, 2]", "[2, 1]", "null"],
    "INTEGER[2]": ["[1, 2]", "[2, 1]", "[1, null]", "null"],
    "INTEGER[][]": ["[]", "[[]]", "[null]", "[[1], [2]]", "[[1, 2]]", "[[1, 2], []]", "null"],
    "VARCHAR[]": ["[]", "['']", "[null]", "['null']", "['NULL']", "['a, b']", "['a', 'b']", "null"],
    "DOUBLE[]": ["[0]", "['-0.0']", "[null]", "['nan']", "null"],
    "BLOB[]": ["['\\x00']", "['\\x5Cx00']", "[]", "null"],
    "STRUCT(a INTEGER, b VARCHAR)": [
        "{'a': 1, 'b': 'x'}",
        "{'a': null, 'b': 'x'}",
        "{'a': null, 'b': null}",
        "{'a': 1, 'b': 'NULL'}",
        "{'a': 1, 'b': null}",
        "null",
    ],
    "MAP(VARCHAR, VARCHAR)": [
        "map {}",
        "map {'a': null}",
        "map {'a=b': 'c'}",
        "map {'a': 'b=c'}",
        "map {'a': 'b', 'c': 'd'}",
        "null",
    ],
    "UNION(n INTEGER, t VARCHAR)": [
        "union_value(n := 1)::UNION(n INTEGER, t VARCHAR)",
        "union_value(t := '1')::UNION(n INTEGER, t VARCHAR)",
        "null",
    ],
}


def table(cursor, rows: str, *columns: tuple[str, str]):
    """Return the scan and the schema of literal rows."""
    schema = tuple(Column(*column) for column in columns)
    types = ", ".join(f'"{name}"::{type_} as "{name}"' for name, type_ in columns)
    names = ", ".join(f'"{name}"' for name, _ in columns)
    return f"(select {types} from (values {rows}) t({names}))", schema


def digest(cursor, scan, schema, read_set=EVERYTHING, **options):
    return digest_columns(cursor, scan, schema, [read_set], **options)[read_set]


def many(scan: str) -> str:
    """Return `scan` among so many rows that they are a large table."""
    return f"(select t.* from {scan} t, range({SMALL + 1}))"


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("type_", VALUES)
def test_values_that_differ_have_different_digests(cursor, type_, size):
    sized = many if size == "large" else str
    tables = {value: table(cursor, f"({value})", ("v", type_)) for value in VALUES[type_]}

    digests = {
        digest(cursor, sized(scan), schema): value for value, (scan, schema) in tables.items()
    }

    assert list(digests.values()) == VALUES[type_]


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("(1, 2)", "(2, 1)"),
        ("(1, 2), (3, 4)", "(1, 4), (3, 2)"),
        ("(1, 1)", "(1, 1), (1, 1)"),
        ("(1, 1), (1, 1)", "(2, 2), (2, 2)"),
        ("(1, null)", "(null, 1)"),
        ("(1, 2), (1, 2), (3, 4)", "(1, 2), (3, 4), (3, 4)"),
        ("(0, 0)", "(0, 0), (0, 0)"),
    ],
)
def test_moved_and_repeated_values_change_the_digest(cursor, left, right, size):
    sized = many if size == "large" else str
    columns = ("a", "INTEGER"), ("b", "INTEGER")

    digests = {
        digest(cursor, sized(scan), schema, read_set)
        for read_set in (EVERYTHING,)
        for scan, schema in (table(cursor, rows, *columns) for rows in (left, right))
    }

    assert len(digests) == 2


def test_the_order_of_rows_counts_only_where_it_is_asked_for(cursor):
    columns = (("a", "INTEGER"),)
    for sized in (str, lambda scan: f"(from {scan} union all select i from range({SMALL}) r(i))"):
        up, schema = table(cursor, "(-1), (-2)", *columns)
        down, _ = table(cursor, "(-2), (-1)", *columns)

        assert digest(cursor, sized(up), schema) == digest(cursor, sized(down), schema)
        ordered = [digest(cursor, sized(s), schema, EVERYTHING_ORDERED) for s in (up, down)]
        assert ordered[0] != ordered[1]


def test_an_ordered_digest_of_a_file_does_not_depend_on_threads(engine, cursor, tmp_path):
    path = tmp_path / "rows.parquet"
    query = f"copy (select hash(i) h from range(500000) t(i)) to '{path}' (row_group_size 4096)"
    cursor.execute(query).fetchall()
    schema = (Column("h", "UBIGINT"),)

    digests = {
        digest(cursor, f"read_parquet(['{path}'])", schema, EVERYTHING_ORDERED) for _ in range(5)
    }

    assert len(digests) == 1


@pytest.mark.parametrize("rows", [SMALL, SMALL + 1])
def test_a_known_number_of_rows_changes_no_digest(cursor, rows):
    scan, schema = f"(select i from range({rows}) t(i))", (Column("i", "BIGINT"),)

    assert digest(cursor, scan, schema, rows=rows) == digest(cursor, scan, schema)


def test_names_and_types_belong_to_a_digest(cursor):
    one, schema = table(cursor, "(1)", ("a", "INTEGER"))
    wide, wide_schema = table(cursor, "(1)", ("a", "BIGINT"))
    other, other_schema = table(cursor, "(1)", ("b", "INTEGER"))

    found = {
        digest(cursor, one, schema),
        digest(cursor, wide, wide_schema),
        digest(cursor, other, other_schema),
        digest(cursor, one, schema, ReadSet.of(["a"])),
        digest(cursor, wide, wide_schema, ReadSet.of(["a"])),
        digest(cursor, other, other_schema, ReadSet.of(["b"])),
    }

    assert len(found) == 6


def test_the_order_of_columns_counts_for_everything_alone(cursor):
    left, left_schema = table(cursor, "(1, 2)", ("a", "INTEGER"), ("b", "INTEGER"))
    right, right_schema = table(cursor, "(2, 1)", ("b", "INTEGER"), ("a", "INTEGER"))
    both = ReadSet.of(["b", "a"])

    assert digest(cursor, left, left_schema) != digest(cursor, right, right_schema)
    assert digest(cursor, left, left_schema, both) == digest(cursor, right, right_schema, both)


def test_a_read_set_sees_its_columns_alone(cursor):
    columns = ("a", "INTEGER"), ("b", "INTEGER")
    before, schema = table(cursor, "(1, 2), (3, 4)", *columns)
    after, _ = table(cursor, "(1, 2), (3, 5)", *columns)
    sets = [ReadSet.of(["a"]), ReadSet.of(["b"]), EVERYTHING]

    for sized in (str, many):
        old = digest_columns(cursor, sized(before), schema, sets)
        new = digest_columns(cursor, sized(after), schema, sets)

        assert [old[key] == new[key] for key in sets] == [True, False, False]


def test_an_empty_read_set_is_the_number_of_rows(cursor):
    columns = (("a", "INTEGER"),)
    nothing = ReadSet.of([])
    one, schema = table(cursor, "(1)", *columns)
    other, _ = table(cursor, "(2)", *columns)
    two, _ = table(cursor, "(1), (2)", *columns)

    assert digest(cursor, one, schema, nothing) == digest(cursor, other, schema, nothing)
    assert digest(cursor, one, schema, nothing) != digest(cursor, two, schema, nothing)
    assert digest(cursor, many(one), schema, nothing) == digest(
        cursor, many(other), schema, nothing
    )


def test_no_rows_have_a_digest(cursor):
    scan, schema = table(cursor, "(1)", ("a", "INTEGER"))
    empty = f"(from {scan} limit 0)"
    sets = [EVERYTHING, EVERYTHING_ORDERED, ReadSet.of(["a"]), ReadSet.of([])]

    found = digest_columns(cursor, empty, schema, sets)

    assert len(set(found.values())) == 4
    assert digest(cursor, empty, schema) != digest(cursor, scan, schema)


def test_sets_computed_together_or_alone_are_equal(cursor):
    schema = tuple(Column(name, "BIGINT") for name in "abc")
    for rows in (10, SMALL + 10):
        scan = f"(select i a, i % 3 b, i % 7 c from range({rows}) t(i))"
        sets = [
            EVERYTHING, EVERYTHING_ORDERED, ReadSet.of("ab"), ReadSet.of("abc"), ReadSet.of("b"),
            ReadSet.of("b", ordered=True), ReadSet.of([]),
        ]  # fmt: skip

        together = digest_columns(cursor, scan, schema, sets)

        assert together == {key: digest(cursor, scan, schema, key) for key in sets}


def test_a_missing_column_is_named(cursor):
    scan, schema = table(cursor, "(1)", ("amount", "INTEGER"))

    with pytest.raises(MissingReadSetColumn, match="no column 'amont'") as raised:
        digest(cursor, scan, schema, ReadSet.of(["amont"]))

    assert raised.value.hint == "Did you mean 'amount'?"


def test_names_are_compared_without_case(cursor):
    scan, schema = table(cursor, "(1)", ("Amount", "INTEGER"))

    assert digest(cursor, scan, schema, ReadSet.of(["AMOUNT"])) == digest(
        cursor, scan, schema, ReadSet.of(["Amount"])
    )


@pytest.mark.parametrize("name", ['a "b"', "hash", "n", "h0", "select", "ü", "a'b", "x" * 500])
@pytest.mark.parametrize("size", ["small", "large"])
def test_odd_column_names_do_no_harm(cursor, name, size):
    spelled = name.replace('"', '""')
    scan = f'(select 1 as "{spelled}", 2 as other)'
    scan = many(scan) if size == "large" else scan
    schema = (Column(name, "INTEGER"), Column("other", "INTEGER"))

    found = digest_columns(
        cursor, scan, schema, [EVERYTHING, EVERYTHING_ORDERED, ReadSet.of([name])]
    )

    assert len(set(found.values())) == 3


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize(
    ("left", "right", "is_equal"),
    [
        ("0.1::double + 0.2::double", "0.3", True),
        ("1e300 * 1.0000000000001", "1e300", True),
        ("'1.7976931348623157e308'", "'1.7976931348623155e308'", True),
        ("'-0.0'", "0", True),
        ("1.0001", "1.0002", False),
        ("1e-5", "2e-5", False),
        ("1e-299", "2e-299", False),
        ("1e5", "1e6", False),
        ("-1", "1", False),
        ("'nan'", "0", False),
        ("'nan'", "null", False),
        ("'inf'", "'-inf'", False),
        ("'inf'", "1e308", False),
        ("0", "null", False),
    ],
)
def test_float_digits_count_as_many_digits(cursor, left, right, is_equal, size):
    sized = many if size == "large" else str

    digests = [
        digest(cursor, sized(scan), schema, float_digits=9)
        for scan, schema in (table(cursor, f"({v})", ("v", "DOUBLE")) for v in (left, right))
    ]

    assert (digests[0] == digests[1]) is is_equal


THIRD, ALIKE, OTHER = "0.3", "(0.1::double + 0.2::double)", "0.30001"
NESTED = {
    "DOUBLE[]": "[1, {}, null]",
    "FLOAT[]": "[{}]",
    "DOUBLE[2]": "[{}, 1]",
    "DOUBLE[][]": "[[], null, [{}]]",
    "STRUCT(a INTEGER, b DOUBLE)": "{{'a': 1, 'b': {}}}",
    'STRUCT("a, b" STRUCT("x ""y""" FLOAT), c VARCHAR)': "{{'a, b': {{'x \"y\"': {}}}, 'c': 'c'}}",
    "MAP(VARCHAR, DOUBLE)": "map{{'a': {}}}",
    "MAP(DOUBLE, VARCHAR[])": "map{{{}: ['b']}}",
    "STRUCT(a MAP(VARCHAR, DOUBLE[]))[]": "[{{'a': map{{'k': [{}]}}}}]",
}


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize(("type_", "value"), NESTED.items(), ids=NESTED)
def test_float_digits_reach_into_nested_values(cursor, type_, value, size):
    sized = many if size == "large" else str

    third, alike, other = (
        digest(cursor, sized(scan), schema, float_digits=3)
        for scan, schema in (
            table(cursor, f"({value.format(one)})", ("v", type_)) for one in (THIRD, ALIKE, OTHER)
        )
    )

    assert third == alike == other
    exact = {
        digest(cursor, sized(scan), schema, float_digits=digits)
        for digits in (9, 3)
        for scan, schema in (
            table(cursor, f"({value.format(one)})", ("v", type_)) for one in (THIRD, OTHER)
        )
    }
    assert len(exact) == 3


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize(
    ("type_", "values"),
    {
        "DOUBLE[]": [
            "[]",
            "[null]",
            "null",
            "[0]",
            "['nan']",
            "['inf']",
            "['-inf']",
            "[1, 2]",
            "[2, 1]",
            "[1e-300]",
            "[-1]",
            "[1]",
        ],
        "STRUCT(a DOUBLE, b VARCHAR)": [
            "null",
            "{'a': null, 'b': null}",
            "{'a': 0, 'b': ''}",
            "{'a': null, 'b': '0'}",
            "{'a': 0, 'b': null}",
        ],
        "MAP(VARCHAR, DOUBLE)": ["null", "map{}", "map{'a': null}", "map{'a': 0}", "map{'b': 0}"],
        "STRUCT(a DOUBLE, b DECIMAL(38,2))": ["{'a': 0, 'b': 0}", "{'a': 0, 'b': -0.01}"],
    }.items(),
    ids=str,
)
def test_float_digits_confuse_no_other_nested_values(cursor, type_, values, size):
    sized = many if size == "large" else str

    digests = {
        digest(cursor, sized(scan), schema, float_digits=6)
        for scan, schema in (table(cursor, f"({one})", ("v", type_)) for one in values)
    }

    assert len(digests) == len(values)


def test_both_zeros_are_one_within_nested_values_too(cursor):
    zero, minus = (table(cursor, f"([{one}])", ("v", "DOUBLE[]")) for one in ("0", "'-0.0'"))

    assert digest(cursor, *zero, float_digits=6) == digest(cursor, *minus, float_digits=6)
    assert digest(cursor, *zero) != digest(cursor, *minus)


rows_of = st.lists(st.tuples(st.integers(-2, 2), st.sampled_from(["", "a", None])), max_size=6)


@settings(max_examples=25, deadline=None)
@given(left=rows_of, right=rows_of)
def test_digests_are_equal_exactly_where_the_rows_are(left, right):
    with duckdb.connect() as cursor:
        schema = (Column("i", "BIGINT"), Column("t", "VARCHAR"))
        found = []
        for rows in (left, right):
            cursor.execute("create or replace table t (i bigint, t varchar)")
            for row in rows:
                cursor.execute("insert into t values (?, ?)", row)
            found.append(digest_columns(cursor, "t", schema, [EVERYTHING, EVERYTHING_ORDERED]))

    as_bag = [sorted(rows, key=repr) for rows in (left, right)]
    assert (found[0][EVERYTHING] == found[1][EVERYTHING]) == (as_bag[0] == as_bag[1])
    assert (found[0][EVERYTHING_ORDERED] == found[1][EVERYTHING_ORDERED]) == (left == right)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_one_changed_value_in_a_large_table_is_seen(seed):
    place, rows = random.Random(seed).randrange(SMALL + 5), SMALL + 5
    schema = (Column("i", "BIGINT"), Column("j", "BIGINT"))
    with duckdb.connect() as cursor:
        before = f"(select i, i % 3 j from range({rows}) t(i))"
        after = f"(select i, (i + (i = {place})::int) % 3 j from range({rows}) t(i))"

        assert digest(cursor, before, schema) != digest(cursor, after, schema)
        assert digest(cursor, before, schema, ReadSet.of("i")) == digest(
            cursor, after, schema, ReadSet.of("i")
        )


def test_the_algorithm_has_one_id(engine, cursor):
    assert algorithm_id(cursor) == engine.algorithm
    assert len(engine.algorithm) == 16
