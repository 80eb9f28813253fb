"""Floats to some significant digits, as SQL: those of a column, and those within its values."""

from assetflow.sql.types import nested_types

FLOATS = frozenset({"FLOAT", "DOUBLE"})
_SMALLEST_MAGNITUDE = -300


def holds_floats(type_: str) -> bool:
    """Whether values of `type_` are floats, or lists, structs or maps with floats in them.

    >>> [holds_floats(one) for one in ("FLOAT[]", "MAP(VARCHAR, STRUCT(a DOUBLE))", "DATE[]")]
    [True, True, False]
    """
    return type_ in FLOATS or any(map(holds_floats, nested_types(type_)[1]))


def rounded(value: str, digits: int) -> str:
    """Return the mantissa to `digits` digits and the magnitude of a float, as two values."""
    magnitude = f"greatest(floor(log10(abs({value}::double))), {_SMALLEST_MAGNITUDE})"
    mantissa = f"round({value}::double / pow(10, {magnitude} - {digits - 1}))"
    has_digits = f"isfinite({value}) and {value} <> 0"
    return (
        f"case when {has_digits} then {mantissa} else {value}::double end, "
        f"case when {has_digits} then {magnitude} end"
    )


def rounded_within(value: str, type_: str, digits: int, depth: int = 0) -> str:
    """Return `value` with each float in it written to `digits` digits, as a text.

    Structs lose the names of their fields, maps become lists of pairs: it is made to be
    hashed. `depth` keeps the names of lambda parameters apart.
    """
    if not holds_floats(type_):
        return value
    kind, inner = nested_types(type_)
    if kind == "list":
        return _each(value, inner[0], digits, depth)
    if kind == "map":
        return _each(f"map_entries({value})", f"TUPLE({', '.join(inner)})", digits, depth)
    if kind == "struct":
        fields = [
            rounded_within(f"struct_extract_at({value}, {place})", one, digits, depth)
            for place, one in enumerate(inner, 1)
        ]
        return f"case when {value} is not null then row({', '.join(fields)}) end"
    text = f"format('{{:.{digits - 1}e}}', {value}::double)"
    return f"case when {value} = 0 then '0' when isnan({value}) then 'nan' else {text} end"


def _each(value: str, type_: str, digits: int, depth: int) -> str:
    item = f"x{depth}"
    return (
        f"list_transform({value}, lambda {item}: {rounded_within(item, type_, digits, depth + 1)})"
    )
