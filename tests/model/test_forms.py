import importlib
import inspect
import pathlib
import typing
from typing import Annotated

import pytest

from assetflow.model.forms import Columns, evaluated, form_of, shown, without_none

FORMS = [
    ("pa.Table", "table"),
    ("pa.RecordBatchReader", "reader"),
    ("duckdb.DuckDBPyRelation", "relation"),
    ("pd.DataFrame", "pandas"),
    ("pl.DataFrame", "polars"),
    ("pl.LazyFrame", "polars_lazy"),
    ("list", "rows"),
    ("list[dict]", "rows"),
    ("list[dict[str, typing.Any]]", "rows"),
    ("typing.List[typing.Dict[str, int]]", "rows"),
    ("pathlib.Path", "path"),
    ("str", "value"),
    ("object", "value"),
    ("pa.Table | None", "table"),
    ("typing.Optional[pl.DataFrame]", "polars"),
]
TEXTS = [
    ("pa.Table", "table"),
    ("pyarrow.Table", "table"),
    ("pa.lib.Table", "table"),
    ("Table", "table"),
    ("pa.RecordBatchReader", "reader"),
    ("duckdb.DuckDBPyRelation", "relation"),
    ("DuckDBPyRelation", "relation"),
    ("pd.DataFrame", "pandas"),
    ("pl.DataFrame", "polars"),
    ("LazyFrame", "polars_lazy"),
    ("pl.LazyFrame | None", "polars_lazy"),
    ("Optional[pl.LazyFrame]", "polars_lazy"),
    ("list[dict]", "rows"),
    ("list[dict[str, Any]]", "rows"),
    ("pathlib.Path", "path"),
    ("Path", "path"),
    ("str", "value"),
    ("'pa.Table'", "table"),
]
NONE = [
    "int",
    "dict",
    "list[int]",
    "pa.Array",
    "pa.Table | pl.DataFrame",
    "DataFrame",
    "a b",
    "missing.Table",
    "lambda: 3",
    "Annotated[int, Columns('a')]",
]


@pytest.fixture
def names():
    """The names that a user's module has imported."""
    libraries = {"pa": "pyarrow", "pd": "pandas", "pl": "polars", "duckdb": "duckdb"}
    modules = {name: importlib.import_module(library) for name, library in libraries.items()}
    return {**modules, "pathlib": pathlib, "typing": typing}


@pytest.mark.parametrize(("written", "form"), FORMS)
def test_an_annotation_says_the_form(written, form, names):
    annotation = evaluated(written, names)

    assert not isinstance(annotation, str)
    assert form_of(annotation) == (form, None)


@pytest.mark.parametrize("annotation", [None, inspect.Parameter.empty])
def test_no_annotation_stands_for_a_table(annotation):
    assert form_of(annotation) == ("table", None)


@pytest.mark.parametrize(("annotation", "form"), TEXTS, ids=str)
def test_the_text_of_an_annotation_says_the_form(annotation, form):
    assert form_of(annotation) == (form, None)


@pytest.mark.parametrize("written", NONE)
def test_another_annotation_says_no_form(written, names):
    assert form_of(written) is None
    assert form_of(evaluated(written, names)) is None


@pytest.mark.parametrize(
    "written",
    [
        'Annotated[pa.Table, Columns("day", "amount")]',
        'typing.Annotated[pa.Table, "a note", Columns("day", "amount")]',
    ],
)
def test_columns_are_declared_beside_the_form(written, names):
    expected = ("table", ("day", "amount"))

    assert form_of(written) == expected
    assert form_of(evaluated(written, {**names, "Annotated": Annotated, "Columns": Columns})) == (
        expected
    )


def test_no_columns_at_all_is_a_declaration_too():
    assert form_of(Annotated[list, Columns()]) == ("rows", ())


def test_columns_are_named_by_texts():
    assert form_of(Annotated[list, Columns(3)]) is None


def test_a_text_is_evaluated_among_the_names_of_the_module(names):
    found = evaluated("frames.LazyFrame", {"frames": names["pl"]})

    assert form_of(found) == ("polars_lazy", None)


@pytest.mark.parametrize("text", ["pl.DataFrame", "1 +", "str.missing", "1 | 'x'"])
def test_a_text_that_cannot_be_evaluated_stays_a_text(text):
    assert evaluated(text, {}) == text


@pytest.mark.parametrize(
    ("annotation", "text"),
    [(pathlib.PurePath, "pathlib.PurePath"), (int, "int"), (list[int], "list[int]"), ("X", "X")],
)
def test_an_annotation_is_shown_as_it_is_written(annotation, text):
    assert shown(annotation) == text


def test_only_none_is_taken_out_of_a_union():
    assert without_none(int | None) is int
    assert without_none(int | str) == int | str
