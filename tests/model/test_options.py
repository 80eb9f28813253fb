from datetime import date
from textwrap import dedent

import pytest

from assetflow.model.asset import Options
from assetflow.model.asset import Retries as FrozenRetries
from assetflow.model.columns import Column
from assetflow.model.declared_inputs import Location
from assetflow.model.mappings import AllPartitions, Latest, Offset, Trailing
from assetflow.model.options import (
    DIALECTS,
    AssetOptions,
    FunctionOptions,
    HeaderOptions,
    Retries,
    SourceOptions,
    sql_literal,
)
from assetflow.model.partitions import daily, dynamic, hourly, monthly, product, static, weekly
from assetflow.model.validation import validate

PLACE = Location("shop/orders.sql", 2)


def frozen(**keys):
    options, errors = validate(AssetOptions, keys, "asset 'orders'", lambda _: PLACE)
    assert not errors
    return options.frozen()


def errors_of(model=AssetOptions, **keys):
    _, errors = validate(model, keys, "asset 'orders'", lambda _: PLACE)
    return [str(error) for error in errors]


def test_nothing_said_is_the_default_of_each_option():
    assert frozen() == Options()


def test_every_key_reaches_the_frozen_options():
    assert frozen(
        description="Each order.",
        group="marts",
        owners=["ann@example.org", "team:sales"],
        tags=["daily"],
        columns={"day": "date", "amount": {"type": "decimal(10,2)", "description": "EUR"}},
        ordered=True,
        volatile=True,
        float_digits=6,
        retries={"attempts": 3, "backoff": "2s"},
        timeout="10m",
        pool="api",
        isolation="process",
        version="2",
        packages=["b", "a", "a"],
        files=["z.csv", "a.csv"],
        env=["REGION"],
        ignore=["LOGGER"],
        renamed_from="old",
        partitions={"daily": {"start": "2026-01-01"}},
        mappings={"orders": {"trailing": 7}},
        partition_by="day",
        key_column="made_for",
        batch_size=31,
    ) == Options(
        description="Each order.",
        group="marts",
        owners=("ann@example.org", "team:sales"),
        tags=("daily",),
        columns=(Column("day", "date"), Column("amount", "decimal(10,2)", "EUR")),
        ordered=True,
        volatile=True,
        float_digits=6,
        retries=FrozenRetries(3, 2.0),
        timeout_seconds=600,
        pool="api",
        isolation="process",
        version="2",
        packages=("a", "b"),
        files=("a.csv", "z.csv"),
        env=("REGION",),
        ignore=("LOGGER",),
        renamed_from="old",
        partitions=daily("2026-01-01"),
        mappings={"orders": Trailing(7)},
        partition_by="day",
        key_column="made_for",
        batch_size=31,
    )


def test_every_frozen_option_has_a_key():
    assert {*Options.__dataclass_fields__} - {*AssetOptions.model_fields} == {"timeout_seconds"}


def test_every_key_says_what_is_expected_of_it():
    fields = {**HeaderOptions.model_fields, **FunctionOptions.model_fields}
    fields |= SourceOptions.model_fields

    assert [name for name, field in fields.items() if not field.description] == []


@pytest.mark.parametrize(
    "written", [3, {"attempts": 3}, Retries(3), Retries(3, backoff="1s"), Retries(3, backoff=1)]
)
def test_retries_are_a_number_a_table_or_a_value(written):
    assert frozen(retries=written).retries == FrozenRetries(3, 1.0)


def test_each_dialect_is_one_that_sqlglot_reads():
    from sqlglot import Dialects

    assert set(DIALECTS) <= {dialect.value for dialect in Dialects}


@pytest.mark.parametrize(
    ("keys", "given", "expected", "way_out"),
    [
        (
            {"owners": ["ann"]},
            "'ann'",
            'an e-mail address, or a name such as "team:sales"',
            'Write it like owners = ["team:sales"].',
        ),
        (
            {"tags": "daily"},
            "'daily'",
            "a list of texts",
            'Write it like tags = ["daily"].',
        ),
        (
            {"tags": ["a,b"]},
            "'a,b'",
            "a text without spaces and commas",
            'Write it like tags = ["daily"].',
        ),
        ({"description": 3}, "3", "a text", "Change it to what is expected."),
        ({"ordered": "yes"}, "'yes'", "true or false", "Change it to what is expected."),
        ({"volatile": 1}, "1", "true or false", "Change it to what is expected."),
        (
            {"float_digits": 40},
            "40",
            "a number of digits from 1 to 17",
            "Write it like float_digits = 6.",
        ),
        (
            {"retries": -1},
            "-1",
            'a number of attempts, or a table with attempts and backoff = "2s"',
            "Write it like retries = 3.",
        ),
        (
            {"retries": "three"},
            "'three'",
            'a number of attempts, or a table with attempts and backoff = "2s"',
            "Write it like retries = 3.",
        ),
        (
            {"timeout": "soon"},
            "'soon'",
            'a number of seconds, or a text such as "90s", "10m", "6h", "2d" or "1h30m"',
            'Write it like timeout = "10m".',
        ),
        (
            {"timeout": 0},
            "0",
            'a number of seconds, or a text such as "90s", "10m", "6h", "2d" or "1h30m"',
            'Write it like timeout = "10m".',
        ),
        (
            {"isolation": "fork"},
            "'fork'",
            '"thread" or "process"',
            'Write it like isolation = "process".',
        ),
        ({"version": 2}, "2", "a text", 'Write it like version = "2".'),
        (
            {"columns": {"day": "date", "DAY": "date"}},
            "{'day': 'date', 'DAY': 'date'}",
            "names of columns that differ in more than case",
            "Change it to what is expected.",
        ),
        (
            {"columns": {"day": {"kind": "date"}}},
            "{'day': {'kind': 'date'}}",
            "for each column its type, or a table of type, description, tags and nullable",
            "Change it to what is expected.",
        ),
        (
            {"columns": ["a" * 100]},
            "['" + "a" * 55 + "...",
            "for each column its type, or a table of type, description, tags and nullable",
            "Change it to what is expected.",
        ),
    ],
)
def test_a_value_that_cannot_be_says_what_is_expected(keys, given, expected, way_out):
    [message] = errors_of(**keys)

    key, *_ = keys
    assert message == (
        f"{key!r} of asset 'orders' cannot have this value.\n"
        f"  given       {given}\n"
        f"  expected    {expected}\n"
        "  defined in  shop/orders.sql:2\n"
        f"{way_out}"
    )


def test_each_problem_is_an_error_of_its_own():
    found = errors_of(owners=["ann", "team:x", "bob"], ownerz=[], ordered="yes")

    assert [message.splitlines()[0] for message in found] == [
        "'owners' of asset 'orders' cannot have this value.",
        "'owners' of asset 'orders' cannot have this value.",
        "'ordered' of asset 'orders' cannot have this value.",
        "'ownerz' is not a key of asset 'orders'.",
    ]


def test_an_unknown_key_names_the_nearest():
    assert errors_of(ownerz=[]) == [
        dedent("""\
            'ownerz' is not a key of asset 'orders'.
              defined in  shop/orders.sql:2
            Did you mean 'owners'?""")
    ]


def test_an_unknown_key_near_none_is_shown_all_keys():
    assert errors_of(SourceOptions, xyz=1) == [
        dedent("""\
            'xyz' is not a key of asset 'orders'.
              defined in  shop/orders.sql:2
            The keys are assume_complete, columns, description, event_time, format, freshness, \
group, owners, partitions, read_options, static, tags, timezone.""")
    ]


def test_a_key_inside_a_table_is_named_with_it():
    assert errors_of(retries={"attemps": 3}) == [
        dedent("""\
            'retries.attempts' of asset 'orders' is missing.
              expected    a number of attempts, or a table with attempts and backoff = "2s"
              defined in  shop/orders.sql:2
            Add it like retries = 3."""),
        dedent("""\
            'attemps' is not a key of 'retries' of asset 'orders'.
              defined in  shop/orders.sql:2
            Did you mean 'attempts'?"""),
    ]


def test_an_unknown_dialect_names_the_nearest():
    assert errors_of(HeaderOptions, dialect="snowflak") == [
        dedent("""\
            'dialect' of asset 'orders' cannot have this value.
              given       'snowflak'
              expected    the name of a dialect of SQL, such as snowflake
              defined in  shop/orders.sql:2
            Write it like dialect = "snowflake".""")
    ]


def test_a_function_has_a_name_or_names_its_outputs():
    assert errors_of(FunctionOptions, name="a", outputs=["b"]) == [
        dedent("""\
            'outputs' of asset 'orders' cannot have this value.
              given       ['b']
              expected    either 'name' or 'outputs', not both
              defined in  shop/orders.sql:2
            Write it like outputs = ["orders", "refunds"].""")
    ]


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (";", "';'"),
        ("it's", "'it''s'"),
        (True, "true"),
        (3, "3"),
        (["a", 1], "['a', 1]"),
        ({"a": "int"}, "{'a': 'int'}"),
    ],
)
def test_read_options_are_written_as_sql(value, literal):
    assert sql_literal(value) == literal


def test_a_read_option_that_sql_cannot_write_is_refused():
    [message] = errors_of(SourceOptions, read_options={"when": {1, 2}})

    assert "expected    texts, numbers, true or false, and lists and tables of them" in message


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ({"daily": {"start": "2026-01-01"}}, daily("2026-01-01")),
        ({"daily": "2026-01-01"}, daily("2026-01-01")),
        ({"daily": {"start": date(2026, 1, 1)}}, daily("2026-01-01")),
        (
            {"daily": {"start": "2026-01-01", "end": "2026-02-01", "timezone": "Europe/Berlin",
                       "offset": "06:00"}},
            daily("2026-01-01", "2026-02-01", timezone="Europe/Berlin", offset="06:00"),
        ),
        ({"hourly": {"start": "2026-01-01", "end": "2026-01-01T05"}},
         hourly("2026-01-01", end="2026-01-01T05")),
        ({"weekly": {"start": "2026-W02"}}, weekly("2026-01-05")),
        ({"monthly": {"start": "2026-01"}}, monthly("2026-01-01")),
        ({"static": ["a", "b"]}, static(["a", "b"])),
        ({"dynamic": "shops"}, dynamic("shops")),
        (
            {"product": {"day": {"daily": "2026-01-01"}, "region": {"static": ["a"]}}},
            product(day=daily("2026-01-01"), region=static(["a"])),
        ),
        (daily("2026-01-01"), daily("2026-01-01")),
    ],
)  # fmt: skip
def test_a_table_declares_the_partitions_that_a_function_makes(said, made):
    assert frozen(partitions=said).partitions == made


FORMS = "one of hourly, daily, weekly and monthly with a start, static, dynamic, or a product"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, FORMS),
        ("daily", FORMS),
        ({"dayly": {"start": "2026-01-01"}}, FORMS),
        ({"daily": {"start": "2026-01-01"}, "static": ["a"]}, FORMS),
        ({"static": "a"}, FORMS),
        ({"dynamic": ["a"]}, FORMS),
        ({"daily": {}}, "for daily a start"),
        ({"daily": {"begin": "2026-01-01"}}, "for daily a start"),
        ({"hourly": {"start": "2026-01-01", "offset": "06:00"}}, "for hourly a start"),
        ({"daily": {"start": "2026-01-05", "end": "2026-01-01"}}, "an end after the start"),
        ({"daily": {"start": "2026-01-05", "timezone": "Mars/Base"}}, "a time zone such as"),
        ({"daily": {"start": "2026-01-05", "timezone": 3}}, "a time zone such as"),
        ({"static": ["a", "a"]}, "keys that differ"),
        ({"product": {"a": {"product": {"b": {"static": ["c"]}}}}}, "none of products"),
        ({"product": {}}, "at least one dimension"),
    ],
)
def test_partitions_that_cannot_be_are_refused(said, expected):
    (error,) = errors_of(partitions=said)

    assert error.startswith("'partitions' of asset 'orders' cannot have this value.")
    assert expected in error


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ({"trailing": 7}, Trailing(7)),
        ({"offset": -1}, Offset(-1)),
        ("latest", Latest()),
        ("all", AllPartitions()),
        ({"all": {"missing": "block"}}, AllPartitions("block")),
        (Trailing(3), Trailing(3)),
    ],
)
def test_a_header_says_how_partitions_map(said, made):
    assert frozen(mappings={"orders": said}).mappings == {"orders": made}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"trailing": 0}, "a number of windows from 1"),
        ({"trailing": "7"}, "a number of windows from 1"),
        ({"trailing": True}, "a number of windows from 1"),
        ({"offset": 1.5}, "a number of windows, -1 for the one before"),
        ({"all": {"missing": "fail"}}, '"skip" or "block"'),
        ({"trailing": 7, "offset": 1}, "{ trailing = 7 }"),
        ("last", "{ trailing = 7 }"),
        (7, "{ trailing = 7 }"),
    ],
)
def test_a_mapping_that_says_nothing_is_refused(said, expected):
    (error,) = errors_of(mappings={"orders": said})

    assert error.startswith("'mappings.orders' of asset 'orders' cannot have this value.")
    assert expected in error


@pytest.mark.parametrize(
    "said", [{"partition_by": "day"}, {"key_column": "made_for"}, {"batch_size": 2}]
)
def test_what_is_said_about_partitions_needs_partitions(said):
    (error,) = errors_of(**said)

    assert "expected    partitions of the asset, which it does not declare" in error


@pytest.mark.parametrize("size", [0, -1, True, "31", 1.5])
def test_a_batch_is_a_number_of_partitions(size):
    (error,) = errors_of(partitions=daily("2026-01-01"), partition_by="day", batch_size=size)

    assert "expected    a number of partitions from 1" in error


@pytest.mark.parametrize("model", [HeaderOptions, FunctionOptions])
def test_what_makes_batches_has_a_column_that_tells_partitions_apart(model):
    said = {"partitions": {"daily": "2026-01-01"}, "batch_size": 2}

    (error,) = errors_of(model, **said)

    assert "1, or `partition_by` as well" in error
    assert not errors_of(model, partition_by="day", **said)


def test_partitions_of_several_dimensions_are_made_one_by_one():
    both = product(day=daily("2026-01-01"), region=static(["eu"]))

    (error,) = errors_of(partitions=both, partition_by="day", batch_size=2)

    assert "of several dimensions" in error


def test_one_mistake_about_partitions_is_told_once():
    errors = errors_of(HeaderOptions, partitions={"daily": "x"}, partition_by="day", batch_size=2)

    assert len(errors) == 1


def test_the_time_zone_of_a_source_needs_a_column():
    (error,) = errors_of(SourceOptions, timezone="UTC")

    assert "the column `event_time` as well" in error


def test_a_source_that_does_not_age_cannot_be_renewed_by_a_look():
    (error,) = errors_of(SourceOptions, static=True, assume_complete=True)

    assert "false: a source that is `static` does not age" in error


def test_the_time_zone_of_an_asset_needs_one_of_two_columns():
    days = {"daily": {"start": "2026-01-01"}}
    (error,) = errors_of(HeaderOptions, timezone="UTC")
    found = HeaderOptions(partitions=days, partition_by="at", timezone="Europe/Berlin").frozen()

    assert "the column `event_time` or `partition_by` as well" in error
    assert found.timezone == "Europe/Berlin"


def test_a_time_zone_that_does_not_exist_is_refused():
    (error,) = errors_of(SourceOptions, event_time="at", timezone="Europe/Berln")

    assert 'the name of a time zone, such as "Europe/Berlin"' in error
