"""Which columns a query reads of each input, and how they reach its output."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from assetflow.model.columns import (
    EVERYTHING,
    EVERYTHING_ORDERED,
    Column,
    ColumnEdge,
    EdgeKind,
    ReadSet,
    Schema,
)
from assetflow.model.names import folded
from assetflow.sql.query import Query

if TYPE_CHECKING:
    from assetflow.sql.flows import Flow, Output, Relation


@dataclass(frozen=True, slots=True)
class QueryLineage:
    """What a query reads, by input as its text names it, and its column edges.

    `is_opaque` says that some input is read whole because the query does not tell which
    columns it needs; `reason` says why.
    """

    read_sets: tuple[tuple[str, ReadSet], ...]
    column_edges: tuple[ColumnEdge, ...]
    is_opaque: bool = False
    reason: str = ""


def analyse(
    query: Query, inputs: Mapping[str, Schema], output: Schema | None = None
) -> QueryLineage:
    """Return the lineage of `query` over `inputs`, whose `output` DuckDB has described.

    `inputs` are by name, without case; file reads are among them by their `name`. An input
    that is missing there is read whole. Without `output`, names are the query's own.
    """
    from assetflow.sql.resolver import Resolver
    from assetflow.sql.scopes import Scope
    from assetflow.sql.syntax import parsed

    known = {folded(name): schema for name, schema in inputs.items()}
    spelled = [read.name for read in query.file_reads] + list(query.inputs)
    names = {folded(name): name for name in spelled}
    source = parsed(query.text)
    resolver = Resolver({key: (name, known.get(key)) for key, name in names.items()})
    top = resolver.relation(source.tree, Scope())
    lost = resolver.unmet(source.tokens)
    targets = _targets(top.outputs, output)
    if targets is None:
        resolver.opaque("the output columns are not those that DuckDB gives")
    columns = {flow[:2] for flow in (*top.everything, *top.rows, *lost)}
    read_sets = tuple(
        (name, _read_set(key, columns, query, key in resolver.everything))
        for key, name in sorted(names.items())
    )
    return QueryLineage(
        read_sets,
        tuple(sorted(set(_edges(top, targets or (), names)))),
        bool(resolver.reasons),
        "; ".join(dict.fromkeys(resolver.reasons)),
    )


def _read_set(
    name: str,
    columns: set[tuple[str, str]],
    query: Query,
    is_everything: bool,  # noqa: FBT001 - one caller, in sight
) -> ReadSet:
    if query.order_dependent:
        return EVERYTHING_ORDERED
    if is_everything:
        return EVERYTHING
    return ReadSet.of(column for input_, column in columns if input_ == name)


def _edges(
    top: "Relation", targets: Sequence[tuple[str, "Output"]], names: Mapping[str, str]
) -> Iterator[ColumnEdge]:
    for flow in top.rows:
        yield from _edge(flow, "", names)
    for target, column in targets:
        for flow in column.flows:
            yield from _edge(flow, target, names)


def _edge(flow: "Flow", target: str, names: Mapping[str, str]) -> Iterator[ColumnEdge]:
    if flow.kind:
        kind = cast(EdgeKind, flow.kind)
        yield ColumnEdge(names[flow.input], flow.column, target, kind)


def _targets(
    outputs: Sequence["Output"], schema: Schema | None
) -> list[tuple[str, "Output"]] | None:
    """Return each output column's name with what flows into it, by position.

    One open output takes what is between; None where the two do not line up, which
    means that the query was not understood.
    """
    if schema is None:
        return [(output.name or "", output) for output in outputs if output.name]
    opened = [index for index, output in enumerate(outputs) if output.is_open]
    if len(opened) > 1:
        return [(column.name, output) for column in schema for output in outputs]
    if not opened:
        return _checked(list(zip(schema, outputs, strict=False)), len(outputs) == len(schema))
    first = opened[0]
    behind = len(outputs) - first - 1
    between = len(schema) - first - behind
    stretched = [*outputs[:first], *[outputs[first]] * between, *outputs[first + 1 :]]
    return _checked(list(zip(schema, stretched, strict=False)), between >= 0)


def _checked(
    pairs: Sequence[tuple["Column", "Output"]],
    is_complete: bool,  # noqa: FBT001 - one caller, in sight
) -> list[tuple[str, "Output"]] | None:
    """Return the pairs by name, None if one's two names differ."""
    if not is_complete:
        return None
    if any(output.name and folded(column.name) != output.name for column, output in pairs):
        return None
    return [(column.name, output) for column, output in pairs]
