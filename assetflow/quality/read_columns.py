"""What the answer of a check depends on: which columns of which table, and what else."""

import re
from collections.abc import Iterable, Mapping

from assetflow.model.checks import Check, QueryCheck
from assetflow.model.columns import EVERYTHING, EVERYTHING_ORDERED, ReadSet, Schema
from assetflow.model.declared_inputs import Input
from assetflow.model.names import AssetName, folded
from assetflow.quality.fitting import named_columns
from assetflow.sql.query import parse_query, quoted

OWN = AssetName("")
"""Stands for the asset that a check is declared on."""

_NEVER_CARRIED = frozenset({"recent", "anomaly", "drift", "unchanged_schema"})
_OF_TYPES = frozenset({"column_types", "unchanged_schema", "contract"})
_OF_ALL_ITS_TABLES = frozenset({"query", "function"})
_SEES_MORE = re.compile(r"columns\s*\(|#\s*\d|\bselect\b|\bfrom\b", re.IGNORECASE)


def can_be_carried(check: Check) -> bool:
    """Whether the answer of `check` stays what it was as long as what it reads does.

    That of `recent` depends on the clock, those of `anomaly`, `drift` and
    `unchanged_schema` on other versions of the asset.
    """
    return check.kind not in _NEVER_CARRIED and not check.is_volatile


def read_sets(
    check: Check, schema: Schema, others: Mapping[AssetName, Schema] | None = None
) -> dict[AssetName, ReadSet]:
    """Return what `check` reads of each table; `OWN` is its asset, whose columns are `schema`.

    `others` are the columns of the tables that a query reads, by asset or source, where
    they are known; others are read whole. More may be named than is read, never less. What
    looks at types reads everything: only that has the columns in their order. The empty
    read-set is the number of rows. The order of what a function gets is for the caller.
    """
    if isinstance(check.body, QueryCheck):
        return _of_query(check, check.body, others or {})
    declared: dict[AssetName, ReadSet] = {}
    for item in check.inputs:
        read = _declared(item.columns)
        declared[_upstream(item)] = both(declared.get(_upstream(item), read), read)
    return declared if check.kind in _OF_ALL_ITS_TABLES else {OWN: _own(check, schema), **declared}


def both(one: ReadSet, other: ReadSet) -> ReadSet:
    """Return what is read of a table that is read twice."""
    is_ordered = one.ordered or other.ordered
    if one.columns is None or other.columns is None:
        return ReadSet(ordered=is_ordered)
    return ReadSet.of((*one.columns, *other.columns), ordered=is_ordered)


def _of_query(
    check: Check, body: QueryCheck, others: Mapping[AssetName, Schema]
) -> dict[AssetName, ReadSet]:
    from assetflow.sql.query_lineage import analyse

    if not others:
        whole = EVERYTHING_ORDERED if body.is_order_dependent else EVERYTHING
        return {_upstream(item): whole for item in check.inputs}
    named = {item.name: _upstream(item) for item in check.inputs}
    known = {name: others[asset] for name, asset in named.items() if asset in others}
    found = {
        folded(name): reads for name, reads in analyse(parse_query(body.text), known).read_sets
    }
    return {asset: found.get(folded(name), EVERYTHING) for name, asset in named.items()}


def _upstream(item: Input) -> AssetName:
    return AssetName(item.upstream or item.name)


def _declared(columns: Iterable[str] | None) -> ReadSet:
    return EVERYTHING if columns is None else ReadSet.of(columns)


def _own(check: Check, schema: Schema) -> ReadSet:
    is_ordered = check.kind == "monotonic" and check.argument("order_by") is None
    texts = [check.where, str(check.argument("sql") or "")]
    is_whole = check.kind == "equal_rows" and not check.columns
    if check.kind in _OF_TYPES or is_whole or any(map(_SEES_MORE.search, texts)):
        return EVERYTHING_ORDERED if is_ordered else EVERYTHING
    named = {folded(name) for name in named_columns(check)}
    return ReadSet.of(
        (
            column.name
            for column in schema
            if folded(column.name) in named or any(_mentions(text, column.name) for text in texts)
        ),
        ordered=is_ordered,
    )


def _mentions(text: str, name: str) -> bool:
    """Whether SQL may name a column: its name stands there as a word, be it in a text.

    What is no identifier of Python may be one of DuckDB, and need no quotes.

    >>> _mentions("Amount > 0", "amount"), _mentions("amounts > 0", "amount")
    (True, False)
    >>> _mentions('a$b > 0', 'a$b'), _mentions('"a b" > 0', 'a b')
    (True, True)
    """
    if not name.isidentifier():
        return any(folded(one) in folded(text) for one in (name, quoted(name)))
    return re.search(rf"(?<!\w){re.escape(folded(name))}(?!\w)", folded(text)) is not None
