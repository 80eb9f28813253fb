"""Values of other libraries as text: arrays, types, schemas, expressions, models, small tables.

Nothing is imported here: a value can only exist where its library is loaded already.
"""

from collections.abc import Callable, Mapping
from typing import Any

from assetflow.model.fingerprint import fingerprint

Write = Callable[[Any], str]
"""Gives the text of a value inside another."""

Writer = Callable[[Any, Write], str]


def library_writer(kind: type) -> Writer | None:
    """Return what writes values of `kind`, if it is, or derives from, a type known here."""
    for each in kind.__mro__:
        writer = _WRITERS.get((each.__module__.partition(".")[0], each.__name__))
        if writer is not None:
            return writer
    return None


def _as_text(name: str) -> Writer:
    return lambda value, _: f"{name}({value})"


def _array(value: Any, write: Write) -> str:
    """Return dtype, shape and a fingerprint of the bytes; of objects, the values themselves."""
    content = write(value.tolist()) if value.dtype.hasobject else value.tobytes().hex()
    return f"numpy({_dtype(value.dtype, write)}, {write(value.shape)}, {fingerprint(content)})"


def _dtype(value: Any, write: Write) -> str:
    return f"dtype({write(value.str if value.fields is None else value.descr)})"


def _arrow_schema(value: Any, _: Write) -> str:
    return f"arrow({value.to_string(truncate_metadata=False)})"


def _arrow_field(value: Any, write: Write) -> str:
    return f"arrow({value}, {write(value.metadata)})"


def _arrow_data(value: Any, write: Write) -> str:
    kind = getattr(value, "schema", None) or value.type
    return f"arrow({kind}, {write(value.to_pylist())})"


def _arrow_scalar(value: Any, write: Write) -> str:
    return f"arrow({value.type}, {write(value.as_py())})"


def _polars_expression(value: Any, _: Write) -> str:
    """Return all of an expression; its printed form leaves things out."""
    return f"polars({fingerprint(value.meta.serialize().hex())})"


def _polars_table(value: Any, write: Write) -> str:
    return f"polars({value.schema}, {write(value.to_dict(as_series=False))})"


def _polars_series(value: Any, write: Write) -> str:
    return f"polars({value.name}, {value.dtype}, {write(value.to_list())})"


def _pandas_table(value: Any, write: Write) -> str:
    kinds = [str(kind) for kind in value.dtypes]
    return f"pandas({write(kinds)}, {write(value.to_dict('tight'))})"


def _pandas_series(value: Any, write: Write) -> str:
    return f"pandas({value.name}, {value.dtype}, {write(list(value.items()))})"


def _pandas_moment(value: Any, _: Write) -> str:
    return f"pandas({value.isoformat()}, {value.unit}, {getattr(value, 'tz', None)})"


def _model(value: Any, write: Write) -> str:
    """Return class, fields, extra and private values of a pydantic model, and which were set."""
    private = getattr(value, "__pydantic_private__", None)
    extra = getattr(value, "__pydantic_extra__", None)
    state = (value.__dict__, extra, private, value.model_fields_set)
    return f"{write(type(value))}{write(state)}"


def _pandera(value: Any, write: Write) -> str:
    """Return class and state of a schema or a check; of functions, their own references."""
    return f"pandera.{type(value).__name__}{write(dict(vars(value)))}"


def _pandera_type(value: Any, _: Write) -> str:
    return f"pandera({type(value).__name__}, {value!r})"


def _suite(value: Any, write: Write) -> str:
    """Return the expectations of a suite, without what its library noted on them."""
    said = value.to_json_dict()["expectations"]
    return f"expectations({write([{**one, 'id': None, 'meta': None} for one in said])})"


def _secret(_value: object, _write: Write) -> str:
    """Return the same for every secret: a changed password changes no data."""
    return "a secret"


_WRITERS: Mapping[tuple[str, str], Writer] = {
    ("numpy", "ndarray"): _array,
    ("numpy", "generic"): lambda value, write: _array(value.reshape(()), write),
    ("numpy", "dtype"): _dtype,
    ("pyarrow", "Schema"): _arrow_schema,
    ("pyarrow", "Field"): _arrow_field,
    ("pyarrow", "DataType"): _as_text("arrow"),
    ("pyarrow", "Scalar"): _arrow_scalar,
    ("pyarrow", "Expression"): _as_text("arrow"),
    ("pyarrow", "Table"): _arrow_data,
    ("pyarrow", "RecordBatch"): _arrow_data,
    ("pyarrow", "Array"): _arrow_data,
    ("pyarrow", "ChunkedArray"): _arrow_data,
    ("polars", "DataType"): lambda value, _: f"polars({value!r})",
    ("polars", "Schema"): lambda value, _: f"polars({value!r})",
    ("polars", "Expr"): _polars_expression,
    ("polars", "DataFrame"): _polars_table,
    ("polars", "Series"): _polars_series,
    ("pandas", "DataFrame"): _pandas_table,
    ("pandas", "Series"): _pandas_series,
    ("pandas", "Timestamp"): _pandas_moment,
    ("pandas", "Timedelta"): _pandas_moment,
    ("pandera", "BaseSchema"): _pandera,
    ("pandera", "BaseCheck"): _pandera,
    ("pandera", "DataType"): _pandera_type,
    ("pandera", "Dispatcher"): _as_text("pandera"),
    ("great_expectations", "ExpectationSuite"): _suite,
    ("pydantic", "BaseModel"): _model,
    ("pydantic", "SecretStr"): _secret,
    ("pydantic", "SecretBytes"): _secret,
    ("pydantic", "AnyUrl"): _as_text("url"),
}
