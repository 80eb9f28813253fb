"""How columns of inputs flow into columns of relations: the algebra of value lineage."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

READ = ""
"""The kind of a flow that counts for read-sets alone and is no edge."""


class Flow(NamedTuple):
    """One column of an input, and how it reaches something."""

    input: str
    column: str
    kind: str


Flows = frozenset[Flow]
NOTHING: Flows = frozenset()

_BY_VALUE = {"identity": 0, "transformation": 1, "aggregation": 2}


def as_value(flows: Flows, kind: str) -> Flows:
    """Return `flows` after a step of `kind`: values take the stronger kind, deciders stay.

    A transformation of an aggregate is still an aggregation.
    """
    weight = _BY_VALUE[kind]
    if all(_BY_VALUE.get(flow.kind, weight) >= weight for flow in flows):
        return flows
    return frozenset(
        Flow(flow.input, flow.column, kind) if _BY_VALUE.get(flow.kind, weight) < weight else flow
        for flow in flows
    )


def as_decider(flows: Flows, kind: str) -> Flows:
    """Return `flows` as what decides rows, or another value, by `kind`."""
    return frozenset(
        flow if flow.kind == READ else Flow(flow.input, flow.column, kind) for flow in flows
    )


def as_read(flows: Flows) -> Flows:
    """Return `flows` as what is read, without saying how."""
    return as_decider(frozenset(flow._replace(kind="identity") for flow in flows), READ)


def union(many: Iterable[Flows]) -> Flows:
    """Return all flows of `many`."""
    return frozenset().union(*many)


class Output(NamedTuple):
    """One column of a relation. `name` is folded; None where DuckDB makes it up.

    An output whose name is "" stands for any number of columns, of any name.
    """

    name: str | None
    flows: Flows = NOTHING

    @property
    def is_open(self) -> bool:
        """Whether this stands for any number of columns."""
        return self.name == ""


@dataclass(frozen=True, slots=True)
class Relation:
    """What a table, subquery or CTE gives: its columns, and what decides its rows.

    `base` is the input that it is, "" for anything else.
    """

    outputs: tuple[Output, ...]
    rows: Flows = NOTHING
    base: str = ""

    @property
    def everything(self) -> Flows:
        """Return the flows of all columns."""
        return union(output.flows for output in self.outputs)

    def named(self, name: str) -> Iterator[Flows]:
        """Yield the flows of each column of that name."""
        return (output.flows for output in self.outputs if output.name == name)

    @property
    def unsure(self) -> list[Flows]:
        """Return the flows of the columns that may have a name which is not known here.

        DuckDB makes up names for expressions, and for the second of two equal names.
        """
        names = [output.name for output in self.outputs]
        return [
            output.flows
            for output in self.outputs
            if not output.name or names.count(output.name) > 1
        ]

    def renamed(self, names: Sequence[str]) -> "Relation":
        """Return the relation with its first columns called `names`."""
        if any(output.is_open for output in self.outputs[: len(names)]):
            flows = self.everything
            opened = (*(Output(name, flows) for name in names), Output("", flows))
            return Relation(opened, self.rows)
        outputs = [
            Output(name, output.flows) for name, output in zip(names, self.outputs, strict=False)
        ]
        return Relation((*outputs, *self.outputs[len(outputs) :]), self.rows, self.base)
