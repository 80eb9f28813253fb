"""What a macro's body does that the query which calls it does not show."""

import re
from dataclasses import dataclass

from assetflow.errors import AssetflowError
from assetflow.model.macros import Macro
from assetflow.sql.query import parse_query

_AS = re.compile(r"\s*as\s+(table\s+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MacroTraits:
    """Why the same inputs can give another result, in the user's words."""

    volatile: tuple[str, ...] = ()
    order_dependent: tuple[str, ...] = ()


def macro_traits(macro: Macro) -> MacroTraits:
    """Return what the body of `macro` does; of one that cannot be read, the worst is assumed.

    Raises HiddenInput for a body that reads what lineage cannot see.
    """
    body = _body(macro.sql)
    try:
        query = parse_query(body, place=str(macro.location))
    except AssetflowError as error:
        if error.code == "hidden_input":
            raise
        said = (f"macro {macro.name}",)
        return MacroTraits(said, said)
    return MacroTraits(
        tuple(f"{name} in macro {macro.name}" for name in query.volatile),
        tuple(f"{name} in macro {macro.name}" for name in query.order_dependent),
    )


def _body(sql: str) -> str:
    """Return the body of a macro as a query, "" where it cannot be found.

    DuckDB lets a body name nothing but the macro's own parameters, so that no column of
    the caller is read behind its back.
    """
    found = _AS.match(sql, _closing(sql, sql.index("(")) + 1)
    if found is None:
        return ""
    return sql[found.end() :] if found[1] else f"select {sql[found.end() :]}"


def _closing(text: str, start: int) -> int:
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return len(text)
