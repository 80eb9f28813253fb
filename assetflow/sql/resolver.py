"""One walk over a query that follows each column from the inputs to the result.

It over-approximates: where a name may mean several things, all of them are read; what it
does not know makes the query opaque, and then everything is read. It never relies on the
tree alone: a word of the text that no part of the walk has met counts as read too.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp  # noqa: TID253 - loaded only when lineage is computed

from assetflow.model.names import folded
from assetflow.sql.flows import (
    NOTHING,
    Flows,
    Output,
    Relation,
    as_decider,
    as_read,
    as_value,
    union,
)
from assetflow.sql.scopes import Scope, Source
from assetflow.sql.syntax import names
from assetflow.sql.tables import Tables, inputs_of

_KNOWN_IN_SELECT = names("""
    expressions from_ joins laterals where group having qualify order limit offset distinct
    windows with_ sample hint kind operation_modifiers
""")


class Resolver(Tables):
    """The top layer of the walk: whole queries, their clauses and their set operations."""

    def relation(self, node: exp.Expr, outer: Scope) -> Relation:
        """Return what the query `node` gives, seen from inside `outer`."""
        scope = outer.inner()
        scope.ctes = self._ctes(node, scope)
        if isinstance(node, exp.Select):
            return self._select(node, scope)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, scope)
        if isinstance(node, exp.Subquery):
            return self._parenthesized(node, scope)
        if isinstance(node, exp.Values):
            return self._listed(node, scope)
        if isinstance(node, exp.Pivot):
            return self._pivoted(node, self._source_relation(node.this, scope), scope)
        return self._unknown(node, scope)

    def _unknown(self, node: exp.Expr, scope: Scope) -> Relation:
        self.opaque(f"{node.key} is not understood here")
        return Relation((Output("", self._children(node, scope)),))

    def _ctes(self, node: exp.Expr, scope: Scope) -> Mapping[str, Relation]:
        with_ = node.args.get("with_")
        if with_ is None:
            return scope.ctes
        for cte in with_.expressions:
            self._define(cte.args.get("alias"))
            loops = with_.args.get("recursive") and isinstance(cte.this, exp.SetOperation)
            follow = self._recursion if loops else self._common_table
            scope.ctes = {**scope.ctes, folded(cte.alias): follow(cte, scope)}
        return scope.ctes

    def _common_table(self, cte: exp.Expr, scope: Scope) -> Relation:
        return self._with_alias_columns(self.relation(cte.this, scope), cte.args.get("alias"))

    def _recursion(self, cte: exp.Expr, scope: Scope) -> Relation:
        """Follow a recursive CTE until nothing is added; all of it decides its rows."""
        outer = scope.ctes
        name = folded(cte.alias)
        current = self._with_alias_columns(
            self.relation(cte.this.this, scope), cte.args.get("alias")
        )
        while True:
            scope.ctes = {**outer, name: current}
            following = self._common_table(cte, scope)
            rows = following.rows | as_read(following.everything)
            following = Relation(following.outputs, rows)
            if following == current:
                scope.ctes = outer
                return current
            current = following

    def _parenthesized(self, node: exp.Expr, scope: Scope) -> Relation:
        inner = self.relation(node.this, scope)
        scope.sources = [Source("", inner)]
        rows = inner.rows | self._order_and_limit(node, scope, inner.outputs)
        return self._with_pivots(Relation(inner.outputs, rows), node, scope)

    def _set_operation(self, node: exp.Expr, scope: Scope) -> Relation:
        left, right = self.relation(node.this, scope), self.relation(node.expression, scope)
        rows = left.rows | right.rows
        outputs = _aligned(left.outputs, right.outputs)
        if node.args.get("by_name"):
            self.opaque("UNION BY NAME reads the names of all columns", inputs_of(left, right))
            outputs = _by_name(left.outputs, right.outputs)
        if not isinstance(node, exp.Union) or node.args.get("distinct") is not False:
            rows |= as_decider(union(output.flows for output in outputs), "group")
        scope.aliases = {output.name: output.flows for output in outputs if output.name}
        scope.sources = [Source("", Relation(tuple(outputs)))]
        rows |= self._order_and_limit(node, scope, outputs)
        return Relation(tuple(outputs), rows)

    def _select(self, node: exp.Expr, scope: Scope) -> Relation:
        args = node.args
        self._refuse_unknown(args, _KNOWN_IN_SELECT)
        rows = self._from(node, scope)
        scope.windows = self._named_windows(node, scope)
        outputs = [output for item in node.expressions for output in self._projection(item, scope)]
        for key in ("where", "having", "qualify"):
            if clause := args.get(key):
                rows |= as_decider(self.value(clause.this, scope), "filter")
        rows |= self._row_makers(node.expressions, scope)
        if group := args.get("group"):
            rows |= as_decider(self._group(group, node, outputs, scope), "group")
        if distinct := args.get("distinct"):
            rows |= as_decider(self._distinct(distinct, outputs, scope), "group")
        return Relation(tuple(outputs), rows | self._order_and_limit(node, scope, outputs))

    def _from(self, node: exp.Expr, scope: Scope) -> Flows:
        rows = NOTHING
        if from_ := node.args.get("from_"):
            rows |= self._add(from_.this, scope)
        for join in node.args.get("joins") or ():
            rows |= self._join(join, scope)
        for lateral in node.args.get("laterals") or ():
            rows |= self._add(lateral, scope)
        return rows

    def _named_windows(self, node: exp.Expr, scope: Scope) -> dict[str, Flows]:
        windows: dict[str, Flows] = {}
        for window in node.args.get("windows") or ():
            self._meet(window.this)
            flows = self._window_parts(window, scope)
            windows[folded(window.this.name)] = flows
        everything = union(windows.values())
        return dict.fromkeys(windows, everything) if len(windows) > 1 else windows

    def _projection(self, item: exp.Expr, scope: Scope) -> Iterator[Output]:
        """Yield the columns that one item of the select list gives."""
        inner = item.this if isinstance(item, exp.Alias) else item
        if isinstance(item, exp.Star) or (
            isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
        ):
            yield from self._star(item, scope)
        elif isinstance(inner, (exp.Like, exp.ILike, exp.Glob, exp.SimilarTo)) and _is_star(
            inner.this
        ):
            yield Output("", self._columns(inner, scope))
        elif list(item.find_all(exp.Columns)) or (
            not isinstance(item, exp.Alias) and isinstance(inner, (exp.Explode, exp.Unnest))
        ):
            yield Output("", self.value(item, scope))
        else:
            yield self._single(item, scope)

    def _single(self, item: exp.Expr, scope: Scope) -> Output:
        flows = self.value(item, scope)
        name = _name_of(item)
        if isinstance(item, exp.Alias) and name:
            scope.aliases[name] = scope.aliases.get(name, NOTHING) | flows
            self._aliases.add(name)
        return Output(name, flows)

    def _row_makers(self, items: Sequence[exp.Expr], scope: Scope) -> Flows:
        """Return what is read by functions in `items` that may make several rows of one."""
        makers = (exp.Explode, exp.Unnest, exp.Anonymous)
        return union(
            as_read(self.value(item, scope)) for item in items if item.find(*makers) is not None
        )

    def _group(
        self, group: exp.Expr, node: exp.Expr, outputs: Sequence[Output], scope: Scope
    ) -> Flows:
        flows = union(
            self._ordinal(item, outputs, scope)
            for items in group.args.values()
            if isinstance(items, list)
            for item in items
            if isinstance(item, exp.Expr)
        )
        if not group.args.get("all"):
            return flows
        keys = [item for item in node.expressions if item.find(exp.AggFunc) is None]
        return flows | union(self.value(item, scope) for item in keys) | self._stars(keys, scope)

    def _stars(self, items: Sequence[exp.Expr], scope: Scope) -> Flows:
        """Return all columns in scope if a star is among `items`."""
        if not any(item.find(exp.Star, exp.Columns) for item in items):
            return NOTHING
        return union(source.relation.everything for source in scope.sources)

    def _ordinal(self, item: exp.Expr, outputs: Sequence[Output], scope: Scope) -> Flows:
        """Return the flows of an item of GROUP BY or ORDER BY, a number being an output's."""
        while isinstance(item, (exp.Paren, exp.Collate)):
            item = item.this
        if isinstance(item, exp.Literal) and not item.is_string:
            index = int(item.name) if item.name.isdigit() else 0
            is_sure = not any(output.is_open for output in outputs[:index])
            if 0 < index <= len(outputs) and is_sure:
                return outputs[index - 1].flows
            return union(output.flows for output in outputs)
        if isinstance(item, exp.Var) and item.name.upper() == "ALL":
            return union(output.flows for output in outputs)
        return self.value(item, scope)

    def _distinct(self, distinct: exp.Expr, outputs: Sequence[Output], scope: Scope) -> Flows:
        on = distinct.args.get("on")
        if on is None:
            return union(output.flows for output in outputs)
        items = on.expressions if isinstance(on, exp.Tuple) else [on]
        return union(self._ordinal(item, outputs, scope) for item in items)

    def _order_and_limit(self, node: exp.Expr, scope: Scope, outputs: Sequence[Output]) -> Flows:
        rows = NOTHING
        if order := node.args.get("order"):
            scope.aliases_first = True
            items = [
                item.this if isinstance(item, exp.Ordered) else item for item in order.expressions
            ]
            flows = union(self._ordinal(item, outputs, scope) for item in items)
            rows |= as_decider(flows, "sort")
            scope.aliases_first = False
        for key in ("limit", "offset"):
            if clause := node.args.get(key):
                rows |= as_decider(self._children(clause, scope), "filter")
        return rows


def _is_star(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star) or (
        isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
    )


def _name_of(item: exp.Expr) -> str | None:
    """Return the folded name of a projection, None where DuckDB makes one up."""
    while isinstance(item, exp.Paren):
        item = item.this
    if isinstance(item, (exp.Alias, exp.Column)):
        return folded(item.alias_or_name) or None
    return None


def _aligned(left: Sequence[Output], right: Sequence[Output]) -> list[Output]:
    """Return the columns of two sides of a set operation, which go by position."""
    if len(left) != len(right) or any(output.is_open for output in (*left, *right)):
        flows = union(output.flows for output in (*left, *right))
        return [Output("", as_value(flows, "transformation"))]
    return [
        Output(one.name, one.flows | other.flows) for one, other in zip(left, right, strict=True)
    ]


def _by_name(left: Sequence[Output], right: Sequence[Output]) -> list[Output]:
    merged: dict[str | None, Flows] = {}
    for output in (*left, *right):
        merged[output.name] = merged.get(output.name, NOTHING) | output.flows
    return [Output(name, flows) for name, flows in merged.items()]
