"""Values as SQL writes them."""

import math
import re

from assetflow.model.checks import Scalar

NUMERIC = re.compile(
    r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|BIGNUM|DECIMAL\(.*\)"
)
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
FLOATS = frozenset({"FLOAT", "DOUBLE"})
LONGEST_DATE = len("2026-01-31")


def literal(value: Scalar, type_: str = "") -> str:
    """Return `value` as an SQL literal, to be compared with a column of `type_`.

    A text takes the type of the column, unless digits or the time of day would be lost.

    >>> print(literal("it's"), literal("0.125", "DECIMAL(9,2)"), literal(True), literal(None))
    'it''s' 0.125 true null
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str() if NUMERIC.fullmatch(type_) and NUMBER.fullmatch(value.strip()):
            return value.strip()
        case str():
            text = "'" + value.replace("'", "''") + "'"
            is_instant = type_ == "DATE" and len(value.strip()) > LONGEST_DATE
            return f"{text}::timestamp" if is_instant else text
        case float() if not math.isfinite(value):
            return f"'{value}'::double"
    return repr(value)
