"""How functions become declarations; the messages are those that loading shows too."""

import functools
from pathlib import Path
from textwrap import dedent
from typing import Annotated

import pytest

from assetflow.errors import AssetflowError
from assetflow.model.asset import Retries
from assetflow.model.declare import (
    AssetContext,
    Columns,
    Config,
    asset,
    collecting,
    format_of,
    resource,
    source,
)
from assetflow.model.declared_inputs import Input

HERE = Path(__file__)


class ApiConfig(Config):
    url: str = "http://x"


def only(function):
    [declared] = function.declarations
    return declared


def line_of(text):
    lines = HERE.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip().startswith(text))


def inputs_of(function):
    return {one.name: (one.form, one.columns) for one in only(function).inputs}


def error_of(declare):
    """Return the message that `declare` raises, with this file called `here`."""
    with pytest.raises(AssetflowError) as caught:
        declare()
    lines = str(caught.value).splitlines()
    return "\n".join(line.split(":")[0] if "defined in" in line else line for line in lines)


def message(text):
    return dedent(text).strip("\n").replace("here", str(HERE))


def test_a_bare_decorator_declares_the_function_by_its_name():
    @asset
    def daily_revenue(orders, stores: list[dict]):
        """Revenue of each
        day.

        And more.
        """

    declared = only(daily_revenue)

    assert declared.name == "daily_revenue"
    assert declared.kind == "python"
    assert declared.options.description == "Revenue of each day."
    assert inputs_of(daily_revenue) == {"orders": ("table", None), "stores": ("rows", None)}
    assert declared.location.line == line_of("def daily_revenue(")


def test_options_are_those_of_a_header():
    @asset(name="marts.revenue", description="Said.", retries=3, owners=["team:sales"])
    def revenue():
        """Not this."""

    declared = only(revenue)

    assert declared.name == "marts.revenue"
    assert declared.options.description == "Said."
    assert declared.options.retries == Retries(3)


def test_a_declared_function_is_still_a_function():
    @asset
    def doubled(numbers: list[dict]):
        """Double them."""
        return [number * 2 for number in numbers]

    assert doubled([1, 2]) == [2, 4]
    assert (doubled.__name__, doubled.__doc__) == ("doubled", "Double them.")
    assert doubled.function([3]) == [6]


def test_one_function_makes_several_assets():
    @asset(outputs=["orders", "refunds"], tags=["daily"])
    def split(raw): ...

    assert [declared.name for declared in split.declarations] == ["orders", "refunds"]
    assert {declared.body.outputs for declared in split.declarations} == {("orders", "refunds")}
    assert {declared.options.tags for declared in split.declarations} == {("daily",)}


def test_parameters_take_data_the_context_configs_and_constants():
    @asset
    def made(
        orders: Annotated[list, Columns("day")],
        context: AssetContext,
        api: ApiConfig,
        *,
        stores: list[dict] | None = None,
        limit: int = 3,
        rate=0.5,
    ): ...

    declared = only(made)

    assert inputs_of(made) == {"orders": ("rows", ("day",))}
    assert declared.body.context == "context"
    assert declared.body.configs == {"api": ApiConfig}
    assert [(one.name, one.form) for one in declared.body.optional] == [
        ("stores", "rows"),
        ("rate", "table"),
    ]


def test_annotations_may_be_texts():
    class Local(Config): ...

    @asset
    def made(
        orders: "Annotated[list[dict], Columns('day')]",
        other: "pl.LazyFrame",  # noqa: F821 - imported for type checkers only
        context: "assetflow.AssetContext | None",  # noqa: F821
        api: "ApiConfig",
        local: "Local",
    ):
        return Local

    assert inputs_of(made) == {"orders": ("rows", ("day",)), "other": ("polars_lazy", None)}
    assert only(made).body.context == "context"
    assert only(made).body.configs == {"api": ApiConfig, "local": Local}


def test_partials_and_wrapped_functions_are_declared_as_what_they_wrap():
    def scaled(orders, factor): ...

    @functools.wraps(scaled)
    def wrapper(*args, **kwargs): ...

    partial = asset(name="scaled_twice")(functools.partial(scaled, factor=2))
    wrapped = asset(wrapper)

    assert [one.name for one in only(partial).inputs] == ["orders"]
    assert [one.name for one in only(wrapped).inputs] == ["orders", "factor"]
    assert only(partial).location.line == line_of("def scaled(orders")


def test_all_that_is_declared_during_a_load_is_collected():
    with collecting(HERE.parent) as collector:
        for region in ("eu", "us"):

            @asset(name=f"sales_{region}")
            def sales(): ...

        source("raw", path="raw.csv")
        resource(name="client")(lambda: 3)

    assert [only(function).name for function in collector.functions] == ["sales_eu", "sales_us"]
    assert [one.name for one in collector.sources] == ["raw"]
    assert [one.name for one in collector.resources] == ["client"]
    assert {only(function).location.path for function in collector.functions} == {HERE.name}


def test_outside_of_a_load_nothing_is_collected():
    with collecting(HERE.parent) as collector:
        pass
    asset(name="late")(lambda: 3)

    assert collector.functions == []


def test_what_cannot_work_does_not_stop_a_load():
    with collecting(HERE.parent) as collector:

        @asset(ownerz=[], tags="daily")
        def broken(): ...

        @asset
        def fine(): ...

    assert broken.declarations == ()
    assert [error.code for error in collector.errors] == ["bad_value", "unknown_key"]
    assert only(fine).name == "fine"


def test_a_resource_takes_configs():
    @resource
    def client(api: ApiConfig, retries: int = 3):
        return api.url

    assert client.declaration.name == "client"
    assert client.declaration.configs == {"api": ApiConfig}
    assert client(ApiConfig()) == "http://x"


def test_a_source_is_a_path_with_its_format():
    found = source(
        "raw_orders",
        path=Path("data") / "*.csv.gz",
        columns={"id": "bigint"},
        owners=["team:sales"],
        read_options={"delim": ";", "all_varchar": True},
    )

    assert (found.path, found.format) == ("data/*.csv.gz", "csv")
    assert found.read_options == (("all_varchar", "true"), ("delim", "';'"))
    assert found.columns[0].type == "bigint"
    assert found.location.line == line_of("found = source(")


def test_a_source_may_tell_its_own_version():
    found = source("feed", observe=lambda: "v1")

    assert (found.path, found.format, found.observe()) == ("", None, "v1")


@pytest.mark.parametrize(
    ("path", "file_format"),
    [
        ("a.csv", "csv"),
        ("a.tsv", "csv"),
        ("a.CSV.GZ", "csv"),
        ("a/*.json", "json"),
        ("a.ndjson", "json"),
        ("a.jsonl.zst", "json"),
        ("2026.01.parquet", "parquet"),
        ("a.xlsx", None),
        ("folder/", None),
        ("*", None),
    ],
)
def test_the_suffix_says_the_format(path, file_format):
    assert format_of(path) == file_format


def plain(): ...


async def slow(): ...


def of_args(*orders): ...


def of_kwargs(**orders): ...


def of_positions(orders, /): ...


def of_two(first: AssetContext, second: AssetContext): ...


def of_data(orders): ...


@pytest.mark.parametrize(
    ("declare", "expected"),
    [
        (
            lambda: asset(ownerz=[])(plain),
            """
            'ownerz' is not a key of asset 'plain'.
              defined in  here
            Did you mean 'owners'?
            """,
        ),
        (
            lambda: asset(name="a-b")(plain),
            """
            'a-b' cannot be the name of an asset.
              defined in  here
            Use letters, digits and underscores, joined by dots, at most 200 characters.
            """,
        ),
        (
            lambda: asset(outputs=["a", "b c"])(plain),
            """
            'b c' cannot be the name of an asset.
              defined in  here
            Use letters, digits and underscores, joined by dots, at most 200 characters.
            """,
        ),
        (
            lambda: asset(slow),
            """
            @asset is put on an async function, not on a function.
              defined in  here
            Put it on a plain function that returns the data.
            """,
        ),
        (
            lambda: asset(ApiConfig),
            """
            @asset is put on a class, not on a function.
              defined in  here
            Put it on a plain function that returns the data.
            """,
        ),
        (
            lambda: resource(name="x")("text"),
            """
            @resource is put on a value, not on a function.
              defined in  here
            Put it on a plain function that returns the data.
            """,
        ),
        (
            lambda: asset(of_args),
            """
            The parameter 'orders' of 'of_args' stands for any number of inputs.
              defined in  here
            Name each input as a parameter of its own.
            """,
        ),
        (
            lambda: asset(of_kwargs),
            """
            The parameter 'orders' of 'of_kwargs' stands for any number of inputs.
              defined in  here
            Name each input as a parameter of its own.
            """,
        ),
        (
            lambda: asset(of_positions),
            """
            The parameter 'orders' of 'of_positions' can be given by its position only.
              defined in  here
            Name each input as a parameter of its own.
            """,
        ),
        (
            lambda: asset(of_two),
            """
            The parameter 'second' of 'of_two' takes the context once more.
              defined in  here
            Name each input as a parameter of its own.
            """,
        ),
        (
            lambda: resource(of_data),
            """
            The parameter 'orders' of the resource 'of_data' is no config.
              defined in  here
            Annotate it with a subclass of Config, or give it a default.
            """,
        ),
        (
            lambda: source("raw"),
            """
            The source 'raw' needs either path= or observe=.
              given       neither
              defined in  here
            Give the path of its files, or a function that tells its version.
            """,
        ),
        (
            lambda: source("raw", path="a.csv", observe=plain),
            """
            The source 'raw' needs either path= or observe=.
              given       both
              defined in  here
            Give the path of its files, or a function that tells its version.
            """,
        ),
        (
            lambda: source("raw", path="data/*"),
            """
            The path of the source 'raw' does not say the format of its files.
              path        data/*
              defined in  here
            Add format="csv", "json" or "parquet".
            """,
        ),
        (
            lambda: source("raw", observe=of_data),
            """
            'of_data', which observes the source 'raw', cannot be called by itself.
              defined in  here
            Give a function without parameters that returns what the version is.
            """,
        ),
        (
            lambda: source("raw data", path="a.csv"),
            """
            'raw data' cannot be the name of a source.
              defined in  here
            Use letters, digits and underscores, joined by dots, at most 200 characters.
            """,
        ),
        (
            lambda: source("raw", path="a.csv", formt="csv"),
            """
            'formt' is not a key of source 'raw'.
              defined in  here
            Did you mean 'format'?
            """,
        ),
        (
            lambda: resource(name="my client")(plain),
            """
            'my client' cannot be the name of a resource.
              defined in  here
            Use letters, digits and underscores, joined by dots, at most 200 characters.
            """,
        ),
    ],
)
def test_what_cannot_work_raises_at_once_outside_of_a_load(declare, expected):
    assert error_of(declare) == message(expected)


def test_several_problems_outside_of_a_load_are_raised_together():
    shown = error_of(lambda: asset(ownerz=[], tagz=[])(plain))

    assert shown.splitlines()[-1] == "2 definitions cannot work."


def test_a_parameter_of_no_form_needs_a_resource_of_its_name():
    @asset
    def made(orders, client: int): ...

    [error] = made.form_errors(frozenset())

    assert [*made.form_errors(frozenset({"client"}))] == []
    assert str(error).replace(str(only(made).location), "here") == dedent("""\
        The parameter 'client' of 'made' is annotated with no form of data.
          given       int
          forms       pa.Table, pa.RecordBatchReader, duckdb.DuckDBPyRelation, pd.DataFrame, pl.DataFrame, pl.LazyFrame, list[dict], Path, str
          defined in  here
        Annotate it with one of the forms, or name it like the resource that it takes.""")  # noqa: E501


def test_an_input_stands_on_the_line_of_its_function():
    @asset
    def placed(orders): ...

    assert only(placed).inputs == (Input("orders", "table", None, line_of("def placed(")),)
