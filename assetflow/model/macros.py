"""SQL macros of a project: what queries may call."""

from dataclasses import dataclass

from assetflow.model.declared_inputs import Location


@dataclass(frozen=True, slots=True)
class Macro:
    """One `create macro` statement, as written and without its final semicolon."""

    name: str
    sql: str
    location: Location
